/** Words of a phrase at most. */
const LONGEST = 5
/** Words of a prompt that are read; with `LONGEST` that makes at most 190 phrases. */
export const WORDS_READ = 40

export interface Phrases {
  readonly phrases: readonly string[]
  /** Words beyond those that are read. */
  readonly dropped: number
}

/** All runs of up to five words of `text`, none across punctuation, each once: as `phrases_of` of `distill/models`. */
export function phrasesOf(text: string): Phrases {
  const found = new Set<string>()
  let count = 0
  for (const clause of text.toLowerCase().split(/[,.;:!?]+(?=\s|$)/)) {
    const all = clause.split(/\s+/).filter(Boolean)
    const words = all.slice(0, Math.max(0, WORDS_READ - count))
    count += all.length
    words.forEach((_, first) => {
      for (let last = first + 1; last <= Math.min(words.length, first + LONGEST); last++) {
        found.add(words.slice(first, last).join(' '))
      }
    })
  }
  return { phrases: found.size ? [...found] : [text], dropped: Math.max(0, count - WORDS_READ) }
}
