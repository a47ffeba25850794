import type { Prompt } from './world'

/** What was played, by ticks. */
export interface Played<Act, Words = Prompt> {
  /** Told between a tick and the next. */
  prompts(after: number): Iterable<Words>
  /** What led to a tick. */
  action(to: number): Act
}

/** What plays it again: a world, or what a world is made of. */
export interface Replayed<Act, Words, Ticked> {
  setPrompt(prompt: Words): unknown
  step(action: Act): Promise<Ticked>
}

/**
 * Plays the ticks behind `from` up to `to` again, with the words between them: the second half of every return to a
 * checkpoint, whether by a seek, a link or a lost device. Words told after `to` are left to the caller. `onTick` hears each,
 * before the next; what it throws ends it.
 */
export async function playOn<Act, Words, Ticked>(
  world: Replayed<Act, Words, Ticked>,
  played: Played<Act, Words>,
  from: number,
  to: number,
  onTick: (ticked: Ticked, tick: number) => unknown = () => {},
): Promise<void> {
  for (let tick = from; tick < to; tick++) {
    for (const prompt of played.prompts(tick)) await world.setPrompt(prompt)
    await onTick(await world.step(played.action(tick + 1)), tick + 1)
  }
}
