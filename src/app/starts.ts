import type { StartChoice } from './store'

/** Words that say nothing about a place. */
const EMPTY = new Set([
  'a',
  'an',
  'and',
  'at',
  'by',
  'car',
  'drive',
  'drives',
  'driving',
  'in',
  'into',
  'of',
  'on',
])
for (const word of ['over', 'road', 'the', 'through', 'to', 'under', 'while', 'with']) EMPTY.add(word)
/** Letters that must agree for two words to mean the same (snow, snowy, snowing), or all of a shorter one (fog, foggy). */
const STEM = 4

function words(text: string): string[] {
  const all = text.toLowerCase().match(/\p{L}{3,}/gu) ?? []
  return [...new Set(all)].filter((word) => !EMPTY.has(word))
}

function has(list: readonly string[], word: string): boolean {
  return list.some((other) => {
    const length = Math.min(STEM, word.length, other.length)
    return word.slice(0, length) === other.slice(0, length)
  })
}

/**
 * The start state that looks most like the words, so that a drive does not begin elsewhere and then change. Among equals
 * the seed chooses. Undefined where no start shares a word; then the world chooses by itself.
 */
export function closestStart(
  text: string,
  starts: readonly StartChoice[],
  seed: number,
): StartChoice | undefined {
  const wanted = words(text)
  let best: StartChoice[] = []
  let most = 0
  for (const start of starts) {
    // An id names the place in as many words as there are, so it counts apart from how the caption says it.
    const id = words(start.id)
    const caption = words(start.caption)
    let score = 0
    for (const word of wanted) score += (has(id, word) ? 2 : 0) + (has(caption, word) ? 1 : 0)
    if (score > most) {
      most = score
      best = [start]
    } else if (score === most && score > 0) best.push(start)
  }
  return best[seed % best.length]
}
