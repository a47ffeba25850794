import { describe, expect, it } from 'vitest'
import { type Arrival, costBetween, deviations, rateOf, runsFrom, summariseServe, table } from './serve-stats'

const frames = (count: number, at: (i: number) => number, fields: Partial<Arrival> = {}): Arrival[] =>
  Array.from({ length: count }, (_, i) => ({
    ...{ atMs: at(i), tick: i, bytes: 1000, ageMs: 60, skipped: 0 },
    ...fields,
  }))

describe('deviations', () => {
  it('of an even session are nothing, whenever it began', () => {
    expect(
      Math.max(
        ...deviations(
          frames(40, (i) => 1234.5 + 50 * i),
          50,
        ),
      ),
    ).toBeLessThan(1e-9)
  })

  it('one late frame counts once, and not again for the interval behind it', () => {
    const off = deviations(
      frames(40, (i) => 50 * i + (i === 20 ? 30 : 0)),
      50,
    )
    expect(off.filter((ms) => ms > 1)).toEqual([30])
  })

  it('a session that ticks evenly but too slowly leaves the grid', () => {
    const off = deviations(
      frames(100, (i) => 60 * i),
      50,
    )
    expect(Math.max(...off)).toBeGreaterThan(400)
  })
})

describe('summariseServe', () => {
  it('takes the slowest session for the rate, and all frames for the rest', () => {
    const clients = [
      frames(21, (i) => 50 * i, { ageMs: 40 }),
      frames(21, (i) => 100 * i, { bytes: 2000, ageMs: 90 }),
    ]
    expect(rateOf(clients[0]!)).toBe(20)
    expect(summariseServe(clients, 50)).toMatchObject({
      sessions: 2,
      frames: 42,
      ticksPerSecond: 10,
      ageMs: { p50: 40, p99: 90 },
      frameBytes: { mean: 1500, most: 2000 },
      skipped: 0,
    })
  })

  it('counts frames that were not sent', () => {
    const seen = frames(10, (i) => 100 * i).map((arrival, i) => ({ ...arrival, tick: 2 * i, skipped: 5 + i }))
    expect(summariseServe([seen], 50)).toMatchObject({ ticksPerSecond: 20, skipped: 0.47 })
  })

  it('a session without frames stands still', () => {
    expect(summariseServe([frames(20, (i) => 50 * i), []], 50).ticksPerSecond).toBe(0)
    expect(() => summariseServe([[]], 50)).toThrow(RangeError)
  })
})

describe('what a run costs', () => {
  const text = (runs: number, ticks: number, ms: number) =>
    [
      '# HELP oneiro_batch_ms One run',
      'oneiro_batch_ms_bucket{le="1"} 3',
      `oneiro_batch_ms_sum ${ms}`,
      `oneiro_batch_ms_count ${runs}`,
      `oneiro_batch_size_sum ${ticks}`,
      `oneiro_batch_size_count ${runs}`,
    ].join('\n')

  it('is what the sums grew by', () => {
    const cost = costBetween(runsFrom(text(10, 20, 100)), runsFrom(text(20, 100, 300.5)), 320)
    expect(cost).toEqual({ batch: 8, runMs: 20.05, msPerTick: 2.51, cpuMsPerTick: 4 })
  })

  it('a metric that is not there is named', () => {
    expect(() => runsFrom('oneiro_batch_ms_sum 3')).toThrow('oneiro_batch_ms_count')
  })
})

it('a table lines up its columns', () => {
  expect(
    table([
      ['who', 'ms'],
      ['batched', '1.5'],
      ['one', '12'],
    ]),
  ).toBe('who       ms\nbatched  1.5\none       12')
})
