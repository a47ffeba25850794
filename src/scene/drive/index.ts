export { type Ambience, ambienceOf } from './ambience'
export { cruiseFor } from './cruise'
export { runFor } from './run'

import { lazily } from '../../engine/lazily'
import type { Simulator } from './world'

export type { Simulator, ToldMoment } from './world'

/**
 * Opens the drive simulator. Throws where the browser gives no WebGL.
 *
 * @example
 * const world = await openSimulator()
 * await world.reset({ seed: 7, prompt: 'a snowy night drive' })
 */
export async function openSimulator(
  options: { canvas?: HTMLCanvasElement | OffscreenCanvas } = {},
): Promise<Simulator> {
  const { SimulatorWorld } = await lazily(() => import('./world'))
  return new SimulatorWorld(options.canvas)
}
