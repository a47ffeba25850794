/** Two workers and a Redis as processes of their own, and what their players see of it when one of them dies. */
import { afterEach, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { IDLE, loadTiny, TINY } from '../../src/model/testing'
import type { SocketConstructor } from '../../src/net/client/link'
import type { Pictures } from '../../src/net/client/pictures'
import type { RemoteEvent } from '../../src/net/client/remote-options'
import { RemoteWorld } from '../../src/net/client/remote-world'
import { LAYOUT } from '../../src/net/protocol/wire'
import { endChildren, NO_REDIS, REDIS, RedisChild, serve } from '../testing/children'

const PATIENCE = 300_000
const PLAYERS = 20
/** What is promised after a worker died. */
const BACK_MS = 5_000
const OLDEST_MS = 1_000
const OLDEST_TICKS = 20
/** Redis is away for so long, milliseconds. */
const AWAY_MS = process.env.ONEIRO_LONG ? 30_000 : 5_000
/** Without a frame; on a busy machine, so many times what it was while Redis was there. */
const LONGEST_GAP_MS = 1_500
const GAP_TIMES = 2
/** Between two frames on a machine that is not busy, at most. What is promised is stretched by how much longer it is here. */
const QUIET_GAP_MS = 250

afterEach(endChildren)

interface Seen {
  readonly tick: number
  readonly epoch: number
  readonly atMs: number
}

/** A player in real time, and every frame that reaches it, before any of them is left out. */
class Player {
  readonly seen: Seen[] = []
  readonly events: RemoteEvent['type'][] = []
  failure: unknown = null
  world!: RemoteWorld
  private left = false

  async join(url: string, seed: number, decoderHash: string): Promise<this> {
    const { seen, events } = this
    class Spying extends WebSocket {
      constructor(address: string) {
        super(address)
        this.on('message', (data: ArrayBuffer) => {
          const view = new DataView(data)
          if (view.getUint8(0) !== LAYOUT.frame.number) return
          const [epoch, tick] = [view.getUint32(8, true), view.getUint32(16, true)]
          seen.push({ tick, epoch, atMs: performance.now() })
        })
      }
    }
    this.world = await RemoteWorld.open({
      url,
      WebSocket: Spying as unknown as SocketConstructor,
      pictures: blind(decoderHash),
      mode: 'realtime',
      random: () => (seed % 10) / 10,
      onEvent: ({ type }) => events.push(type),
    })
    await this.world.reset({ seed })
    void this.play()
    return this
  }

  async leave(): Promise<void> {
    this.left = true
    await this.world.close()
  }

  private async play(): Promise<void> {
    try {
      while (!this.left) await this.world.step(IDLE)
    } catch (error) {
      if (!this.left) this.failure = error
    }
  }
}

/** Latents, which cost a server no picture; nobody looks at them here. */
function blind(decoderHash: string): Pictures {
  return {
    formats: ['latents'],
    decoderHash,
    decode: async () => ({ frame: { width: 1, height: 1, data: new Uint8ClampedArray(4) } }),
    close: async () => {},
  }
}

async function playersOf(url: string): Promise<Player[]> {
  const { modelHash } = (await loadTiny()).manifest
  const players: Player[] = []
  for (let i = 0; i < PLAYERS; i++) players.push(await new Player().join(url, i, modelHash))
  await expect
    .poll(() => Math.min(...players.map(({ seen }) => seen.length)), { timeout: PATIENCE })
    .toBeGreaterThan(60)
  return players
}

async function workers(count: number, redis: RedisChild) {
  const started = Array.from({ length: count }, () =>
    serve(
      ...['--world', TINY, '--port', '0', '--threads', '1', '--redis', redis.url],
      ...['--max-sessions', `${PLAYERS}`],
    ),
  )
  for (const { port, output } of started) {
    await expect.poll(port, { timeout: PATIENCE, message: output() }).toBeTruthy()
  }
  return started.map((worker) => ({ ...worker, url: `ws://localhost:${worker.port()}` }))
}

async function metric(port: number, name: string): Promise<number> {
  const text = await (await fetch(`http://localhost:${port}/metrics`)).text()
  return Number(text.match(new RegExp(`^oneiro_${name} (\\S+)$`, 'm'))?.[1])
}

describe.skipIf(!REDIS)(`many machines${REDIS ? '' : ` (${NO_REDIS})`}`, () => {
  // One that is stopped answers nobody, but its sockets stay open.
  it.each(['SIGKILL', 'SIGSTOP'] as const)(
    `%s of a worker with ${PLAYERS} sessions: all play again within 5 s, from a state at most 1 s old`,
    async (signal) => {
      const [a, b] = await workers(2, await RedisChild.start())
      const players = await playersOf(a!.url)
      const busy = Math.max(1, ...players.map(({ seen }) => longestGap(seen.slice(-40)) / QUIET_GAP_MS))
      const killedAtMs = performance.now()
      a!.child.kill(signal)
      if (signal === 'SIGKILL') await a!.status
      const before = players.map(({ seen }) => seen.at(-1)!)
      const counts = players.map(({ seen }) => seen.length)
      const first = () => players.map(({ seen }, i) => seen[counts[i]!])
      await expect.poll(() => first().filter((one) => one === undefined).length, { timeout: 60_000 }).toBe(0)
      const back = first().map((one) => one!.atMs - killedAtMs)
      const ticksLost = first().map((one, i) => before[i]!.tick - (one!.tick - 1))
      const age = players.map(({ seen }, i) => {
        const from = first()[i]!.tick - 1
        // A busy server may have kept a tick whose frame it had left out.
        const last = seen.slice(0, counts[i]).findLast(({ tick }) => tick <= from)
        return last ? killedAtMs - last.atMs : Number.POSITIVE_INFINITY
      })
      console.log(
        `back after ${range(back)} ms; the state was ${range(age)} ms old, ${range(ticksLost)} ticks lost; ${busy.toFixed(1)} times as busy`,
      )
      expect(Math.max(...back)).toBeLessThan(BACK_MS * busy)
      expect(Math.max(...age)).toBeLessThan(OLDEST_MS * busy)
      expect(Math.max(...ticksLost)).toBeLessThanOrEqual(OLDEST_TICKS)
      // And on they play, each in the epoch that it was in.
      await expect
        .poll(() => Math.min(...players.map(({ seen }, i) => seen.length - counts[i]!)), { timeout: 60_000 })
        .toBeGreaterThan(20)
      for (const { events, failure, seen } of players) {
        expect([events, failure]).toEqual([['disconnected', 'reconnected'], null])
        expect(new Set(seen.map(({ epoch }) => epoch))).toEqual(new Set([1]))
      }
      expect(await metric(b!.port(), 'sessions_taken_up_total')).toBe(PLAYERS)
      await Promise.all(players.map((player) => player.leave()))
    },
    PATIENCE,
  )

  it(
    `Redis away for ${AWAY_MS / 1000} s: everybody plays on; when it is back, it knows all again`,
    async () => {
      const redis = await RedisChild.start()
      const [a, b] = await workers(2, redis)
      const players = await playersOf(a!.url)
      const from = players.map(({ seen }) => seen.length)
      const said = () => a!.output().match(/is away/g)?.length ?? 0
      const saidBefore = said()
      const usualMs = Math.max(...players.map(({ seen }) => longestGap(seen)))
      await redis.kill()
      await new Promise((resolve) => setTimeout(resolve, AWAY_MS))
      expect(await metric(a!.port(), 'directory_up')).toBe(0)
      await redis.begin()
      await expect.poll(() => metric(a!.port(), 'directory_up'), { timeout: 20_000 }).toBe(1)
      const gaps = players.map(({ seen }, i) => longestGap(seen.slice(from[i])))
      const ticks = players.map(({ seen }, i) => seen.at(-1)!.tick - seen[from[i]!]!.tick)
      console.log(
        `longest time without a frame ${range(gaps)} ms; ${range(ticks)} ticks meanwhile; before, ${usualMs.toFixed(0)} ms`,
      )
      expect(Math.max(...gaps)).toBeLessThan(Math.max(LONGEST_GAP_MS, GAP_TIMES * usualMs))
      for (const { events, failure } of players) expect([events, failure]).toEqual([[], null])
      expect(said() - saidBefore).toBe(1)
      const client = redis.client()
      await expect
        .poll(async () => (await client.keys('*:session:*')).length, { timeout: 20_000 })
        .toBe(PLAYERS)
      client.disconnect()
      // What it was told is enough to go on with.
      await new Promise((resolve) => setTimeout(resolve, 1_000))
      a!.child.kill('SIGKILL')
      await expect.poll(() => metric(b!.port(), 'sessions_taken_up_total'), { timeout: 30_000 }).toBe(PLAYERS)
      await Promise.all(players.map((player) => player.leave()))
    },
    PATIENCE,
  )
})

function longestGap(seen: readonly Seen[]): number {
  return Math.max(...seen.slice(1).map(({ atMs }, i) => atMs - seen[i]!.atMs))
}

function range(values: readonly number[]): string {
  return `${Math.min(...values).toFixed(0)} to ${Math.max(...values).toFixed(0)}`
}
