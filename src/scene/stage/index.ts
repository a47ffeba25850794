import { lazily } from '../../engine/lazily'
import { whenContextGone } from '../context'
import { FlatStage } from './flat-stage'
import { LastingStage } from './lasting-stage'
import { lacksGpu } from './software'
import type { StageFace } from './types'

export type { Framing, Rect, StageFace } from './types'

/** `webgl` where a GPU draws it, `flat` where it would be the processor. */
export type StageChoice = 'auto' | 'webgl' | 'flat'

const FELL_BACK =
  'The browser took the graphics away and did not give them back, so the picture is drawn in a simpler way. Load the page again to try once more.'

/**
 * A stage in `host`. The one on WebGL (three.js) loads only where it is used. Where its context is lost for good, the flat
 * one takes its place, and `onFallback` hears a sentence about it.
 */
export async function createStage(
  host: HTMLElement,
  choice: StageChoice = 'auto',
  onFallback: (sentence: string) => void = () => {},
): Promise<StageFace> {
  if (choice === 'flat' || (choice === 'auto' && lacksGpu())) return new FlatStage(host)
  try {
    const { Stage } = await lazily(() => import('./stage'))
    const first = new Stage(host)
    const stage = new LastingStage(first)
    const stop = whenContextGone(first.canvas, () => {
      stop()
      stage.replace(() => new FlatStage(host))
      onFallback(FELL_BACK)
    })
    return stage
  } catch {
    return new FlatStage(host)
  }
}
