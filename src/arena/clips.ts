import type { Pixels, Tick, World } from '../engine/world'
import type { Plan } from './plan'

/** A drive that was dreamed to its end. */
export type Clip = readonly Pixels[]

/** The part of a world that a clip needs. */
export type Dreamer = Pick<World, 'reset' | 'step' | 'readPixels'>

/** Dreams a plan's drive, first frame included. Stops early, and rejects, once the signal aborts. */
export async function dreamClip(
  world: Dreamer,
  plan: Plan,
  signal: AbortSignal,
  onFrame: () => void = () => {},
): Promise<Clip> {
  const frames: Pixels[] = []
  const keep = async ({ frame }: Tick) => {
    signal.throwIfAborted()
    frames.push(frame ?? (await world.readPixels()))
    onFrame()
  }
  const { seed, start, prompt } = plan
  await keep(await world.reset({ seed, start, prompt }))
  for (const action of plan.actions) await keep(await world.step(action))
  return frames
}

/**
 * The same drive by both students. Clips are dreamed ahead and played later, so that how fast a student is on this device
 * shows in nothing. If one fails, the other stops.
 */
export async function dreamBoth(
  students: readonly [Dreamer, Dreamer],
  plan: Plan,
  onProgress: (fraction: number) => void,
): Promise<readonly [Clip, Clip]> {
  const stop = new AbortController()
  const frames = 2 * (plan.actions.length + 1)
  let done = 0
  const dream = (world: Dreamer) =>
    dreamClip(world, plan, stop.signal, () => onProgress(++done / frames)).catch((error) => {
      stop.abort(error)
      throw error
    })
  const clips = await Promise.allSettled(students.map(dream))
  for (const clip of clips) if (clip.status === 'rejected') throw clip.reason
  return clips.map((clip) => (clip as PromiseFulfilledResult<Clip>).value) as [Clip, Clip]
}
