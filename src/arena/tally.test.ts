import { describe, expect, it } from 'vitest'
import { fileName, report } from './report'
import { tally, votesBetween, wilson } from './tally'
import { A, B, vote } from './testing'

describe('wilson', () => {
  // Newcombe, "Two-sided confidence intervals for the single proportion", Stat. Med. 17 (1998), table I, method 3.
  it.each([
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ])('%d of %d', (wins, n, low, high) => {
    const interval = wilson(wins, n)!
    expect(interval.low).toBeCloseTo(low, 4)
    expect(interval.high).toBeCloseTo(high, 4)
  })

  it('is the same seen from the other side, and stays within 0 and 1', () => {
    for (let n = 1; n < 40; n++) {
      for (let wins = 0; wins <= n; wins++) {
        const [one, other] = [wilson(wins, n)!, wilson(n - wins, n)!]
        expect(one.low).toBeCloseTo(1 - other.high, 12)
        expect(one.low).toBeGreaterThanOrEqual(0)
        expect(one.high).toBeLessThanOrEqual(1)
        expect(one.low).toBeLessThanOrEqual(wins / n + 1e-12)
      }
    }
  })

  it('of nothing is nothing', () => expect(wilson(0, 0)).toBeNull())
})

describe('tally', () => {
  const swapped = { left: B, right: A }
  const votes = [
    vote({ quality: 'left' }),
    vote({ ...swapped, quality: 'right' }),
    vote({ ...swapped, quality: 'left' }),
    vote({ quality: 'neither' }),
    vote({ left: { name: 'third', modelHash: 'cccc' }, quality: 'right' }),
  ]

  it('counts for the student, wherever it was shown, and leaves other pairs out', () => {
    const { interval, ...rest } = tally(votes, 'quality', A, B)
    expect(rest).toEqual({ votes: 4, a: 2, b: 1, undecided: 1, rateOfA: 2 / 3 })
    expect(interval).toEqual(wilson(2, 3))
  })

  it('is the mirror image where the students change places in the address', () => {
    expect(tally(votes, 'quality', B, A)).toMatchObject({ votes: 4, a: 1, b: 2, undecided: 1 })
  })

  it('has no rate before anything is decided', () => {
    expect(tally(votes, 'following', A, B)).toMatchObject({ votes: 4, rateOfA: null, interval: null })
    expect(tally([], 'quality', A, B)).toMatchObject({ votes: 0, rateOfA: null })
  })

  it('is exported with its votes, and only those', () => {
    const exported = report(votes, A, B, new Date('2026-11-25T12:00:00Z'))
    expect(exported).toMatchObject({
      format: 'oneiro-arena',
      version: 1,
      exportedAt: '2026-11-25T12:00:00.000Z',
      students: { a: A, b: B },
      results: { quality: { a: 2, b: 1 }, following: { undecided: 4 } },
    })
    expect(exported.votes).toEqual(votesBetween(votes, A, B))
    expect(exported.votes).toHaveLength(4)
    expect(fileName(A, { ...B, name: '../runs/tmd 2' })).toBe('arena-drive-..-runs-tmd-2.json')
  })
})
