import { describe, expect, it } from 'vitest'
import type { Telemetry, Tick } from '../../engine/world'
import { TelemetryFeed } from './telemetry-feed'

const frame = { width: 1, height: 1, data: new Uint8ClampedArray(4) }
const tick = (index: number, rest: Partial<Tick> = {}): Tick => ({
  index,
  epoch: 1,
  frame: null,
  timings: {},
  ...rest,
})

function feed(hasAutopilot: boolean, answer: () => Promise<Telemetry | null> = async () => ({ speed: 9 })) {
  const seen: unknown[] = []
  let asked = 0
  const world = {
    readTelemetry() {
      asked++
      return answer()
    },
  }
  const it = new TelemetryFeed({ hasAutopilot, see: (telemetry) => seen.push(telemetry) })
  return { seen, asked: () => asked, hear: (t: Tick) => it.hear(t, world) }
}

describe('TelemetryFeed', () => {
  it('passes on what a tick carries, and forgets where a frame carries none', () => {
    const { seen, hear, asked } = feed(true)
    hear(tick(1, { frame, telemetry: { speed: 3 } }))
    hear(tick(2, { frame }))
    expect(seen).toEqual([{ speed: 3 }, null])
    expect(asked()).toBe(0)
  })

  it('asks a GPU every fourth tick, once at a time', async () => {
    const { seen, hear, asked } = feed(true)
    for (let i = 0; i < 9; i++) hear(tick(i))
    expect(asked()).toBe(1)
    await new Promise((resolve) => setTimeout(resolve))
    expect(seen).toEqual([{ speed: 9 }])
    for (let i = 9; i < 17; i++) {
      hear(tick(i))
      await new Promise((resolve) => setTimeout(resolve))
    }
    expect(asked()).toBe(3)
  })

  it('drops an answer about a drive that has gone elsewhere meanwhile', async () => {
    const { seen, hear } = feed(true)
    hear(tick(8))
    hear(tick(2, { epoch: 2 }))
    await new Promise((resolve) => setTimeout(resolve))
    expect(seen).toEqual([])
  })

  it('does not ask where nobody reads it, and outlives a world that cannot answer', async () => {
    const unread = feed(false)
    unread.hear(tick(0))
    expect(unread.asked()).toBe(0)
    const lost = feed(true, () => Promise.reject(new Error('the device is lost')))
    lost.hear(tick(0))
    await new Promise((resolve) => setTimeout(resolve))
    lost.hear(tick(4))
    expect(lost.seen).toEqual([null])
    expect(lost.asked()).toBe(2)
  })
})
