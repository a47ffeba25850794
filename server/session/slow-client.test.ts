/** One client stops reading among twenty that play: what is queued for it, and what the others notice. */
import { afterEach, describe, expect, it } from 'vitest'
import { FakeTime, settle } from '../../src/engine/testing/fake-time'
import type { FrameMessage, Hello } from '../../src/net/protocol/messages'
import { decodeServer } from '../../src/net/protocol/wire'
import { DreamServer } from '../server'
import { closeServer, FakeEngine, FakeSocket, helloOf, RawClient, tinyEngine } from '../testing/servers'
import { MOST_UNACKNOWLEDGED } from './frames'

const PERIOD = 50
const PATIENCE = 900_000
const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

/** A player in fake time that is alive and, while it reads, acknowledges all that comes. */
class Player {
  readonly frames: { frame: FrameMessage; ageMs: number }[] = []
  reads = true
  speaks = true
  resume = ''
  readonly socket: FakeSocket

  constructor(
    server: DreamServer,
    private readonly time: FakeTime,
    hello: Partial<Hello> = {},
  ) {
    this.socket = new FakeSocket(server)
    this.socket.onSent = () => this.read()
    this.socket.say(helloOf({ mode: 'realtime', ...hello }))
    if (!hello.resume) this.socket.say({ type: 'reset', request: 1, body: { seed: 1 } })
    void this.beat()
  }

  /** Frames that were sent and not read yet. */
  get queued(): FrameMessage[] {
    return this.socket.frames
  }

  read(): void {
    if (!this.reads) return
    for (const bytes of this.socket.sent.splice(0)) {
      const frame = decodeServer(bytes)
      if (frame.type === 'welcome') this.resume = frame.body.resume!
      if (frame.type !== 'frame') continue
      // Ticks are due on a grid that began at 0: what has passed since is the frame's age.
      this.frames.push({ frame, ageMs: this.time.now() % PERIOD })
      this.socket.say({ type: 'ack', sequence: frame.sequence })
    }
  }

  private async beat(): Promise<void> {
    while (this.socket.closed === null) {
      await this.time.sleep(500)
      if (this.speaks) this.socket.say({ type: 'heartbeat', sentAtMs: this.time.now() })
    }
  }
}

async function twenty() {
  const time = new FakeTime()
  const engine = new FakeEngine(32, () => time.sleep(10))
  const server = await DreamServer.start({ engine, host: '127.0.0.1', port: 0, time, maxSessions: 21 })
  closing.push(() => closeServer(server, time))
  const healthy = Array.from({ length: 20 }, () => new Player(server, time))
  const slow = new Player(server, time)
  await time.run(10_000)
  const ages = () => healthy.flatMap(({ frames }) => frames.splice(0).map(({ ageMs }) => ageMs))
  return { time, server, engine, healthy, slow, ages }
}

const mean = (all: number[]) => all.reduce((sum, one) => sum + one, 0) / all.length

describe('a client that stops reading for 60 s, among 20 that play', () => {
  it(
    'has three frames waiting when it returns, and the others notice nothing',
    async () => {
      const { time, slow, ages } = await twenty()
      const before = ages()
      slow.frames.length = 0
      slow.reads = false
      await time.run(60_000)
      const during = ages()
      expect(slow.socket.closed).toBeNull()
      expect(slow.queued.length).toBeLessThanOrEqual(MOST_UNACKNOWLEDGED)
      expect(during.length).toBe(20 * 60 * 20)
      expect(Math.abs(mean(during) - mean(before))).toBeLessThan(5)
      expect(Math.abs(Math.max(...during) - Math.max(...before))).toBeLessThan(5)

      slow.reads = true
      slow.read()
      await time.run(1000)
      const ticks = slow.frames.map(({ frame }) => frame.tick)
      const first = ticks.findIndex((tick, i) => i > 0 && tick > ticks[i - 1]! + 1)
      expect(first).toBe(MOST_UNACKNOWLEDGED)
      // From then on every tick of the last second, and nothing of the minute before.
      const fresh = ticks.slice(first)
      expect(fresh.length).toBeGreaterThanOrEqual(19)
      expect(fresh).toEqual(fresh.map((_, i) => fresh[0]! + i))
      expect(slow.frames.at(-1)!.frame.skipped).toBeGreaterThan(1190)
    },
    PATIENCE,
  )

  it(
    'is cut off where it says nothing either, and takes its drive up when it returns',
    async () => {
      const { time, server, slow, ages } = await twenty()
      const before = ages()
      slow.reads = false
      slow.speaks = false
      await time.run(40_000)
      expect(slow.socket.closed).toBe('1006 ')
      expect(slow.queued.length).toBeLessThanOrEqual(MOST_UNACKNOWLEDGED)
      expect(Math.abs(mean(ages()) - mean(before))).toBeLessThan(5)
      expect([server.sessions.count('active'), server.sessions.count('detached')]).toEqual([20, 1])
      const again = new Player(server, time, { resume: slow.resume })
      await time.run(1000)
      const ticks = again.frames.map(({ frame }) => frame.tick)
      // Ten seconds of play, and ten until it was cut off; since then its world has stood still.
      expect(Math.abs(ticks[0]! - 400)).toBeLessThan(10)
      expect(ticks).toEqual(ticks.map((_, i) => ticks[0]! + i))
    },
    PATIENCE,
  )
})

/** The whole minute, and frame ages, which say something on an idle machine only: `ONEIRO_LONG=1`. */
const long = process.env.ONEIRO_LONG === '1'

it(
  `the same over real sockets, ${long ? 60 : 2} s long`,
  async () => {
    const engine = await tinyEngine(32)
    const server = await DreamServer.start({ engine, host: '127.0.0.1', port: 0, maxSessions: 21 })
    closing.push(() => server.close())
    const latencies: number[] = []
    const play = async (onFrame: (frame: FrameMessage) => void) => {
      const client = new RawClient(server)
      client.onMessage = (message) => {
        if (message.type !== 'frame') return
        client.say({ type: 'ack', sequence: message.sequence })
        client.say({ type: 'action', code: 4, sequence: message.sequence, sentAtMs: performance.now() })
        onFrame(message)
      }
      const { modelHash } = engine.served.world
      await client.hello({ mode: 'realtime', formats: ['latents'], decoderHash: modelHash })
      client.say({ type: 'reset', request: 1, body: { seed: 1 } })
      await client.first('frame')
      return client
    }
    const healthy: RawClient[] = []
    for (let i = 0; i < 20; i++) {
      healthy.push(await play(({ echoMs }) => echoMs > 0 && latencies.push(performance.now() - echoMs)))
    }
    const frames: FrameMessage[] = []
    const slow = await play((frame) => frames.push(frame))
    const beats = setInterval(() => {
      for (const client of [...healthy, slow]) client.say({ type: 'heartbeat', sentAtMs: performance.now() })
    }, 500)
    closing.push(async () => clearInterval(beats))
    const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

    await pause(long ? 60_000 : 1000)
    const before = latencies.splice(0)
    slow.socket.pause()
    const known = frames.at(-1)!.sequence
    frames.length = 0
    await pause(long ? 60_000 : 2000)
    const during = latencies.splice(0)
    slow.socket.resume()
    await expect
      .poll(() => frames.some(({ sequence }) => sequence > known + 6), { timeout: 60_000 })
      .toBe(true)
    const skippedBefore = frames[0]!.skipped
    // A frame that was made after the pause says how many were skipped in it.
    const stale = frames.findIndex(({ skipped }) => skipped > skippedBefore)
    expect(stale).toBeLessThanOrEqual(MOST_UNACKNOWLEDGED)
    expect(slow.socket.readyState).toBe(slow.socket.OPEN)
    expect(during.length).toBeGreaterThan(0)
    if (long) {
      console.log(`frame age: ${mean(before).toFixed(2)} ms before, ${mean(during).toFixed(2)} ms during`)
      expect(Math.abs(mean(during) - mean(before))).toBeLessThan(5)
    }
    await settle()
  },
  PATIENCE,
)
