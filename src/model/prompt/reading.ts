/** What a world's reader makes of words: one choice each of a few things. */
import type { Manifest } from '../assets/manifest'

type Choices = NonNullable<NonNullable<Manifest['prompt']>['choices']>

/** How sure a reading must be of a value. */
const SURE = 0.5

/** The value that a reading names of each thing, for example `{ time: 'night' }`; left out where none. */
export function namedIn(reading: Float32Array, choices: Choices): Readonly<Record<string, string>> {
  const named: Record<string, string> = {}
  let from = 0
  for (const [thing, values] of Object.entries(choices)) {
    const value = values.find((_, i) => reading[from + i]! > SURE)
    if (value !== undefined) named[thing] = value
    from += values.length + 1
  }
  return named
}

/** The starts that are most like what a reading names; all of them where it names nothing. */
export function startsLike<Start extends { readonly embedding: Float32Array }>(
  starts: readonly Start[],
  reading: Float32Array,
  choices: Choices,
): readonly Start[] {
  const wanted = namedIn(reading, choices)
  const things = Object.keys(choices)
  let best: Start[] = []
  let most = 0
  for (const start of starts) {
    const own = namedIn(start.embedding, choices)
    // A more important thing outweighs all that follow it.
    const score = things.reduce(
      (sum, thing) => 2 * sum + (wanted[thing] !== undefined && wanted[thing] === own[thing] ? 1 : 0),
      0,
    )
    if (score > most) best = []
    if (score >= most) best.push(start)
    most = Math.max(most, score)
  }
  return best
}
