import { describe, expect, it } from 'vitest'
import type { FrameMessage } from '../protocol/messages'
import { Pacer } from './pacer'

function frame(tick: number, epoch = 1): FrameMessage {
  return {
    type: 'frame',
    ...{ request: 0, epoch, sequence: tick, tick, skipped: 0, echoMs: 0, batch: 1 },
    timings: { queue: 0, student: 0, encode: 0 },
    format: 'latents',
    payload: new Uint8Array(0),
  }
}

describe('frames as they are shown', () => {
  it('are the newest, each once; one that was overtaken is late', async () => {
    const pacer = new Pacer()
    for (const tick of [1, 2, 3]) pacer.arrived(frame(tick), 1, tick * 50)
    expect((await pacer.take(160)).tick).toBe(3)
    expect(pacer.stats).toMatchObject({ arrivals: 3, late: 2, stale: 0 })
    const next = pacer.take(170)
    expect(pacer.awaited).toBe(true)
    pacer.arrived(frame(4), 1, 200)
    expect((await next).tick).toBe(4)
  })

  it('are never of another epoch, nor older than what was shown', async () => {
    const pacer = new Pacer()
    pacer.begin(10)
    pacer.arrived(frame(11, 1), 2, 0)
    pacer.arrived(frame(10, 2), 2, 50)
    expect(pacer.stats.stale).toBe(2)
    pacer.arrived(frame(11, 2), 2, 100)
    expect((await pacer.take(110)).tick).toBe(11)
  })

  it('what waited before a reset is not shown after it', async () => {
    const pacer = new Pacer()
    pacer.arrived(frame(90, 1), 1, 0)
    pacer.begin(0)
    const next = pacer.take(10)
    pacer.arrived(frame(1, 2), 2, 50)
    expect((await next).epoch).toBe(2)
  })
})

describe('arrivals', () => {
  function steady(pacer: Pacer, count: number): void {
    for (let i = 1; i <= count; i++) pacer.arrived(frame(i), 1, i * 50)
  }

  it('have a moving average, which a gap does not change', () => {
    const pacer = new Pacer()
    steady(pacer, 20)
    expect(pacer.stats.intervalMs).toBeCloseTo(50)
    pacer.arrived(frame(21), 1, 1000 + 900)
    expect(pacer.stats).toMatchObject({ gaps: 1 })
    expect(pacer.stats.intervalMs).toBeCloseTo(50)
  })

  it('that are late let the last frame be held, and this is counted', async () => {
    const pacer = new Pacer()
    steady(pacer, 20)
    await pacer.take(1000)
    const inTime = pacer.take(1010)
    pacer.arrived(frame(21), 1, 1055)
    await inTime
    expect(pacer.stats.held).toBe(0)
    const late = pacer.take(1060)
    pacer.arrived(frame(22), 1, 1160)
    await late
    expect(pacer.stats.held).toBe(1)
  })

  it('who waits is told when there will be none', async () => {
    const pacer = new Pacer()
    const next = pacer.take(0)
    pacer.fail(new Error('gone'))
    await expect(next).rejects.toThrow('gone')
    expect(pacer.awaited).toBe(false)
  })
})
