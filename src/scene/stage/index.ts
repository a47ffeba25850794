import { FlatStage } from './flat-stage'
import { lacksGpu } from './software'
import type { StageFace } from './types'

export type { StageFace } from './types'

/** `webgl` where a GPU draws it, `flat` where it would be the processor. */
export type StageChoice = 'auto' | 'webgl' | 'flat'

/** A stage in `host`. The one on WebGL (three.js) loads only where it is used. */
export async function createStage(host: HTMLElement, choice: StageChoice = 'auto'): Promise<StageFace> {
  if (choice === 'flat' || (choice === 'auto' && lacksGpu())) return new FlatStage(host)
  try {
    const { Stage } = await import('./stage')
    return new Stage(host)
  } catch {
    return new FlatStage(host)
  }
}
