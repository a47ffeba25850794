import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { RealtimeClock } from './clock'
import { BadInputError } from './errors'
import { FakeTime, settle } from './testing/fake-time'

/** Ticks that cost what `cost` says; answers when each began. */
async function run(cost: (tick: number) => number, forMs: number, rate = 20) {
  const time = new FakeTime()
  const clock = new RealtimeClock(rate, time)
  const starts: number[] = []
  const stop = new AbortController()
  const driver = (async () => {
    for (let tick = 0; ; tick++) {
      const pace = await clock.next(stop.signal)
      if (!pace) return
      starts.push(pace.startedAtMs)
      await time.sleep(cost(tick), stop.signal)
    }
  })()
  await time.run(forMs)
  stop.abort()
  await driver
  return { starts, stats: clock.stats() }
}

const intervals = (starts: number[]) => starts.slice(1).map((start, i) => start - starts[i]!)

describe('a device that holds the rate', () => {
  test('ticks exactly on the grid', async () => {
    const { starts, stats } = await run(() => 30, 1000)
    expect(starts).toEqual(Array.from({ length: 21 }, (_, i) => i * 50))
    expect(stats).toMatchObject({
      ticks: 21,
      lateTicks: 0,
      droppedMs: 0,
      slowed: false,
      speed: 1,
      intervalMs: 50,
    })
  })

  test('makes up for lateness below one period', async () => {
    const { starts, stats } = await run((tick) => (tick % 2 ? 20 : 60), 2000)
    expect(starts.length).toBe(41)
    expect(stats.slowed).toBe(false)
    expect(stats.droppedMs).toBe(0)
    expect(stats.lateTicks).toBe(20)
  })

  test('drops a stall instead of queueing its ticks', async () => {
    const { starts, stats } = await run((tick) => (tick === 3 ? 1000 : 10), 2000)
    expect(starts.slice(3, 7)).toEqual([150, 1150, 1200, 1250])
    expect(stats).toMatchObject({ lateTicks: 1, droppedMs: 950, slowed: false })
  })
})

describe('a device that cannot hold the rate', () => {
  test('slows world time evenly and says so', async () => {
    const { starts, stats } = await run(() => 70, 10_000)
    for (const interval of intervals(starts).slice(80)) expect(interval).toBeCloseTo(70, 0)
    expect(stats.slowed).toBe(true)
    expect(stats.speed).toBeCloseTo(50 / 70, 2)
    expect(stats.lateTicks).toBe(stats.ticks - 1)
  })

  test('spaces ticks of uneven cost more evenly than they cost', async () => {
    const { starts } = await run((tick) => (tick % 2 ? 100 : 40), 20_000)
    const settled = intervals(starts).slice(60)
    expect(Math.max(...settled) - Math.min(...settled)).toBeLessThan(20)
  })

  test('returns to the nominal rate when it can', async () => {
    const { starts, stats } = await run((tick) => (tick < 50 ? 80 : 20), 10_000)
    expect(stats.slowed).toBe(false)
    expect(intervals(starts).at(-1)).toBe(50)
  })
})

test('whatever ticks cost, they keep their order, never overlap and never come in a burst', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(200), { minLength: 1, maxLength: 20 }), async (costs) => {
      const { starts } = await run((tick) => costs[tick % costs.length]!, 3000)
      const gaps = intervals(starts)
      expect(Math.min(...gaps.map((gap, i) => gap - costs[i % costs.length]!))).toBeGreaterThan(-1e-6)
      // In any window the ticks begun are at most those of the nominal rate and the one made up for.
      let tightest = Number.POSITIVE_INFINITY
      for (let i = 0; i < starts.length; i++) {
        for (let j = i + 1; j < starts.length; j++) {
          tightest = Math.min(tightest, (starts[j]! - starts[i]!) / 50 - (j - i - 1))
        }
      }
      expect(tightest).toBeGreaterThan(-1e-6)
    }),
    { numRuns: 40 },
  )
})

test('restart forgives a pause', async () => {
  const time = new FakeTime()
  const clock = new RealtimeClock(20, time)
  await clock.next()
  await time.run(5000)
  clock.restart()
  await clock.next()
  expect(clock.stats()).toMatchObject({ ticks: 2, lateTicks: 0, droppedMs: 0 })
})

test('an abort ends the wait without a tick', async () => {
  const time = new FakeTime()
  const clock = new RealtimeClock(20, time)
  const stop = new AbortController()
  await clock.next(stop.signal)
  const waiting = clock.next(stop.signal)
  await settle()
  stop.abort()
  expect(await waiting).toBeNull()
  expect(await clock.next(stop.signal)).toBeNull()
  expect(clock.stats().ticks).toBe(1)
})

test.each([0, -20, Number.NaN, Number.POSITIVE_INFINITY])('refuses a rate of %d', (rate) => {
  expect(() => new RealtimeClock(rate)).toThrow(BadInputError)
})
