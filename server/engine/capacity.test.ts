/** Seats by what sessions cost. */
import { describe, expect, it } from 'vitest'
import { FakeEngine } from '../testing/servers'
import { measuredSeats, seatsWithin } from './capacity'

/** An engine on which a tick costs so much for each session, milliseconds. */
function costly(msPerSession: number, maxBatch = 32) {
  let nowMs = 0
  const engine: FakeEngine = new FakeEngine(maxBatch, async () => {
    nowMs += msPerSession * engine.steps.at(-1)!.length
  })
  return { engine, now: () => nowMs }
}

describe('seats', () => {
  it.each([
    [0.1, 32],
    [3.75, 8],
    [5, 6],
    [10, 3],
    [29, 1],
    [200, 1],
  ])('of sessions that cost %d ms a tick, of 50 ms: %i', async (ms, seats) => {
    const { engine, now } = costly(ms)
    expect(await measuredSeats(engine, now)).toEqual({ seats, msPerSession: expect.closeTo(ms) })
    expect(engine.dreams.size).toBe(0)
  })

  it('are no more than one run computes', async () => {
    const { engine, now } = costly(0.1, 6)
    expect((await measuredSeats(engine, now)).seats).toBe(4)
  })

  it('are counted between the sizes that were measured', () => {
    const costs = [
      { sessions: 4, ms: 20 },
      { sessions: 8, ms: 60 },
    ]
    expect(seatsWithin(30, costs)).toBe(5)
    expect(seatsWithin(60, costs)).toBe(8)
  })
})
