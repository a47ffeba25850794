import { FlatStage } from './flat-stage'
import { Stage } from './stage'
import type { StageFace } from './types'

export { fitFrame, type Rect, splitStage } from './layout'
export type { StageFace } from './types'

/** A stage in `host`: with WebGL where the browser gives it, and otherwise a plain one that still shows every frame. */
export function createStage(host: HTMLElement): StageFace {
  try {
    return new Stage(host)
  } catch {
    return new FlatStage(host)
  }
}
