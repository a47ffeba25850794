import type { Question, StudentTag, Vote } from './votes'

/** The normal quantile of a two-sided 95 % interval. */
const Z95 = 1.959963984540054

export interface Interval {
  readonly low: number
  readonly high: number
}

/**
 * The Wilson score interval of a proportion at 95 %: E. B. Wilson, "Probable Inference, the Law of Succession, and
 * Statistical Inference", J. Am. Stat. Assoc. 22 (1927), 209-212. Unlike the normal approximation it stays within 0..1
 * and holds for few votes. Null where there is none.
 */
export function wilson(wins: number, n: number): Interval | null {
  if (n === 0) return null
  const p = wins / n
  const z2 = Z95 ** 2
  const middle = (p + z2 / (2 * n)) / (1 + z2 / n)
  const half = (Z95 / (1 + z2 / n)) * Math.sqrt((p * (1 - p)) / n + z2 / (4 * n * n))
  return { low: Math.max(0, middle - half), high: Math.min(1, middle + half) }
}

/** How two students fared by one question. */
export interface Tally {
  readonly votes: number
  readonly a: number
  readonly b: number
  /** "Can't tell": in no rate. */
  readonly undecided: number
  /** Share of the decided votes that went to a; null where there are none. */
  readonly rateOfA: number | null
  readonly interval: Interval | null
}

/** Votes between exactly these two, wherever they were shown. */
export function votesBetween(votes: readonly Vote[], a: StudentTag, b: StudentTag): Vote[] {
  const pair = [a.modelHash, b.modelHash].sort().join()
  return votes.filter(({ left, right }) => [left.modelHash, right.modelHash].sort().join() === pair)
}

export function tally(votes: readonly Vote[], question: Question, a: StudentTag, b: StudentTag): Tally {
  const between = votesBetween(votes, a, b)
  const won = (student: StudentTag) =>
    between.filter((vote) => {
      const verdict = vote[question]
      return verdict !== 'neither' && vote[verdict].modelHash === student.modelHash
    }).length
  const [ofA, ofB] = [won(a), won(b)]
  const decided = ofA + ofB
  return {
    votes: between.length,
    a: ofA,
    b: ofB,
    undecided: between.length - decided,
    rateOfA: decided === 0 ? null : ofA / decided,
    interval: wilson(ofA, decided),
  }
}
