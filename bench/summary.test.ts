import { describe, expect, it } from 'vitest'
import { percentile, summarise } from './summary'

describe('percentile', () => {
  it.each([
    [0, 1],
    [0.5, 2],
    [0.51, 3],
    [0.99, 4],
    [1, 4],
  ])('%d of 4, 2, 3, 1 is %d', (p, value) => expect(percentile([4, 2, 3, 1], p)).toBe(value))

  it('of nothing is refused', () => expect(() => percentile([], 0.5)).toThrow(RangeError))
})

it('a summary compares a tick with the bare runs beside it', () => {
  const summary = summarise({ tickMs: [11, 12, 100], bareMs: [10, 10, 10], stages: { student: [8, 9, 7] } })
  expect(summary).toEqual({
    n: 3,
    tickMs: { p50: 12, p95: 100, p99: 100 },
    bareMs: { p50: 10 },
    overhead: 0.2,
    stages: { student: 8 },
  })
})
