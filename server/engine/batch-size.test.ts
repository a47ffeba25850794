import { describe, expect, it } from 'vitest'
import { BatchSize } from './batch-size'

const PERIOD = 50

/** Sizes of `runs` runs in a row, where `waiting` sessions are always in line and a run of n costs `cost(n)`. */
function play(size: BatchSize, waiting: number, runs: number, cost: (n: number) => number): number[] {
  return Array.from({ length: runs }, () => {
    const taken = size.choose(waiting)
    size.observe(taken, cost(taken))
    return taken
  })
}

describe('BatchSize', () => {
  it('takes the whole line while that is cheap, and tries nothing', () => {
    const sizes = play(new BatchSize(32, PERIOD), 12, 50, (n) => 2 * n)
    expect(new Set(sizes)).toEqual(new Set([12]))
  })

  it('never takes more than the engine can', () => {
    expect(play(new BatchSize(4, PERIOD), 64, 200, (n) => 10 * n).every((taken) => taken <= 4)).toBe(true)
  })

  it('stays with large runs where a run costs much by itself', () => {
    const sizes = play(new BatchSize(32, PERIOD), 32, 100, (n) => 40 + n)
    expect(sizes.filter((taken) => taken < 32).length).toBeLessThanOrEqual(6)
    expect(sizes.at(-1)).toBe(32)
  })

  it('takes smaller runs where large ones cost more for each session', () => {
    const sizes = play(new BatchSize(32, PERIOD), 32, 100, (n) => (n > 8 ? 6 * n : 3 * n))
    expect(sizes.at(-1)).toBe(8)
  })

  it('is not misled by the first run of a size', () => {
    const size = new BatchSize(32, PERIOD)
    let first = true
    const sizes = play(size, 32, 100, (n) => {
      const slow = first && n === 8 ? 1000 : 0
      if (n === 8) first = false
      return slow + (n > 8 ? 6 * n : 3 * n)
    })
    expect(sizes.at(-1)).toBe(8)
  })

  it('notices that large runs have become cheap', () => {
    const size = new BatchSize(32, PERIOD)
    play(size, 32, 100, (n) => (n > 8 ? 6 * n : 3 * n))
    expect(play(size, 32, 1200, (n) => 2 * n).at(-1)).toBe(32)
  })
})
