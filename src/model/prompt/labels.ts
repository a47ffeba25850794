/** Prompt labels, what a world's prompt classifier makes of words: one choice each of a few things. */

export type Choices = Readonly<Record<string, readonly string[]>>

/** How sure labels must be of a value. */
const SURE = 0.5

/** The value that labels name of each thing, for example `{ time: 'night' }`; left out where none. */
export function namedIn(labels: Float32Array, choices: Choices): Readonly<Record<string, string>> {
  const named: Record<string, string> = {}
  let from = 0
  for (const [thing, values] of Object.entries(choices)) {
    const value = values.find((_, i) => labels[from + i]! > SURE)
    if (value !== undefined) named[thing] = value
    from += values.length + 1
  }
  return named
}

/** The same labels with other values of some things; null is none of a thing's values. A fresh array. */
export function edited(
  labels: Float32Array,
  choices: Choices,
  changes: Readonly<Record<string, string | null>>,
): Float32Array {
  const made = labels.slice()
  let from = 0
  for (const [thing, values] of Object.entries(choices)) {
    const to = from + values.length + 1
    if (thing in changes) {
      const place = values.indexOf(changes[thing] ?? '')
      made.fill(0, from, to)
      made[place < 0 ? to - 1 : from + place] = 1
    }
    from = to
  }
  return made
}

/** The starts that are most like what labels name; all of them where they name nothing. */
export function startsLike<Start extends { readonly embedding: Float32Array }>(
  starts: readonly Start[],
  labels: Float32Array,
  choices: Choices,
): readonly Start[] {
  const wanted = namedIn(labels, choices)
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
