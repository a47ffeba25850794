import { tally, votesBetween } from './tally'
import { QUESTIONS, type StudentTag, type Vote } from './votes'

/** What is exported: every vote between two students, and what they add up to. */
export function report(votes: readonly Vote[], a: StudentTag, b: StudentTag, now: Date) {
  const results = Object.fromEntries(QUESTIONS.map((question) => [question, tally(votes, question, a, b)]))
  return {
    format: 'oneiro-arena',
    version: 1,
    exportedAt: now.toISOString(),
    students: { a, b },
    results,
    votes: votesBetween(votes, a, b),
  }
}

/** A name for the file, safe on every system. */
export function fileName(a: StudentTag, b: StudentTag): string {
  const safe = (name: string) => name.replace(/[^\w.-]+/g, '-')
  return `arena-${safe(a.name)}-${safe(b.name)}.json`
}
