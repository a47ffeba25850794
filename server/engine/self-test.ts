import { spaceOf } from '../../src/engine/controls'
import type { WorldFiles } from '../../src/model/assets/world-files'
import { pixelsOf } from '../../src/model/backends/pixels'
import type { BatchedDream } from '../../src/model/dream/batched-dream'
import { checkFrame, checkLatent } from '../../src/model/dream/self-test'

/** Two: what is right for one session can be wrong for the second of a run. */
const SESSIONS = ['self-test-a', 'self-test-b']

/**
 * The tick whose numbers the manifest holds, through the very sessions that will play: an idle one from start 0 under
 * preset 0. Throws `SelfTestError` where this machine computes another.
 */
export async function selfTest(
  dream: BatchedDream,
  { manifest, shape, starts }: WorldFiles,
  name: string,
): Promise<void> {
  const { seed } = manifest.selfTest
  const options = { seed, start: starts[0]!.id, prompt: manifest.presets[0]?.text }
  for (const session of SESSIONS) await dream.reset(session, options)
  const { idle } = spaceOf(manifest.controls)
  const { ticks } = await dream.step(SESSIONS.map((session) => ({ session, action: idle })))
  for (const { session, latent } of ticks) {
    dream.free(session)
    checkLatent(latent, manifest, name)
  }
  const frames = await dream.decode(ticks.map(({ latent }) => latent))
  const length = frames.length / ticks.length
  for (const i of ticks.keys()) {
    const frame = frames.subarray(i * length, (i + 1) * length)
    checkFrame(pixelsOf(frame, shape.width, shape.height), manifest, name)
  }
}
