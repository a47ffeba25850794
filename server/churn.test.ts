/** Clients that come and go in numbers, one in five without a word: nothing of them is left. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { FakeTime, settle } from '../src/engine/testing/fake-time'
import { countingOrt, tinyBatched } from '../src/model/testing'
import { DreamEngine } from './engine/engine'
import { DreamServer } from './server'
import { closeServer, FakeEngine, FakeSocket, helloOf, RawClient } from './testing/servers'

/** More of the slow visits, over real sockets and a real student: `ONEIRO_LONG=1 npx vitest run server/churn.test.ts`. */
const LONG = process.env.ONEIRO_LONG === '1'
const REAL_VISITS = LONG ? 10_000 : 200
const VISITS = LONG ? 40_000 : 10_000
const PATIENCE = 3_600_000

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** Bytes in use once all that can be freed is freed. */
async function heap(): Promise<number> {
  for (let i = 0; i < 4; i++) {
    collect()
    await settle()
  }
  return process.memoryUsage().heapUsed
}

/** Counts who sleeps. */
class CountedTime extends FakeTime {
  sleeping = 0
  override async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    this.sleeping++
    await super.sleep(ms, signal)
    this.sleeping--
  }
}

describe(`${VISITS} joins and leaves`, () => {
  it(
    'leave no session, dream, token, spectator, timer or memory',
    async () => {
      const time = new CountedTime()
      const engine = new FakeEngine()
      const server = await DreamServer.start({ engine, host: '127.0.0.1', port: 0, time, maxSessions: 40 })
      await settle()
      const timers = time.sleeping

      /** Fifty come together, so some must wait; one in five is watched. */
      const fifty = async (first: number) => {
        const players = Array.from({ length: 50 }, () => new FakeSocket(server))
        for (const [i, player] of players.entries()) {
          player.say(helloOf({ mode: i % 2 ? 'realtime' : 'lockstep' }))
          if (player.messages.at(-1)?.type !== 'welcome') continue
          player.say({ type: 'reset', request: 1, body: { seed: first + i } })
        }
        await settle()
        const watchers = players
          .filter((_, i) => i % 5 === 1)
          .map((player) => {
            const welcome = player.messages[0]!
            const watcher = new FakeSocket(server)
            if (welcome.type === 'welcome') watcher.say(helloOf({ watch: welcome.body.watch! }))
            return watcher
          })
        await time.run(50)
        for (const [i, player] of players.entries()) {
          if (player.frames.length > 0) player.say({ type: 'step', request: 2, code: 4, sentAtMs: 0 })
          if (i % 5 === 0) player.terminate()
          else player.say({ type: 'bye' })
        }
        for (const watcher of watchers) watcher.terminate()
        await settle()
        // Who went without a word may come back for a minute. That minute is over.
        server.sessions.sweep(time.now() + 61_000)
        await settle()
        engine.steps.length = 0
      }

      for (let i = 0; i < 2000; i += 50) await fifty(i)
      const before = await heap()
      for (let i = 2000; i < 2000 + VISITS; i += 50) await fifty(i)
      const after = await heap()
      if (LONG) console.log(`heap: ${before} bytes after 2,000 visits, ${after} after ${VISITS} more`)
      const { sessions } = server
      expect([sessions.size, sessions.waiting, sessions.watching, sessions.kept]).toEqual([0, 0, 0, 0])
      expect([server.openConnections, engine.dreams.size, time.sleeping]).toEqual([0, 0, timers])
      expect(after / before).toBeLessThan(1.05)
      await closeServer(server, time)
      await settle()
      expect(time.sleeping).toBe(0)
    },
    PATIENCE,
  )
})

describe(`${REAL_VISITS} of them over real sockets, on a real student`, () => {
  it(
    'leave no socket and no tensor',
    async () => {
      const { ort, counts } = countingOrt()
      const { dream, files } = await tinyBatched(8, ort)
      const engine = new DreamEngine(dream, files, 8, 'node-cpu')
      const handles = process.getActiveResourcesInfo().length
      const server = await DreamServer.start({ engine, host: '127.0.0.1', port: 0, maxSessions: 8 })
      const visit = async (i: number) => {
        const client = new RawClient(server)
        client.hello()
        await client.first('welcome')
        client.say({ type: 'reset', request: 1, body: { seed: i } })
        await client.first('frame')
        client.say({ type: 'step', request: 2, code: 4, sentAtMs: 0 })
        if (i % 5 === 0) client.socket.terminate()
        else client.say({ type: 'bye' })
        await client.closed
        server.sessions.sweep(performance.now() + 61_000)
      }
      const lines = Array.from({ length: 5 }, async (_, line) => {
        for (let i = line; i < REAL_VISITS; i += 5) await visit(i)
      })
      await Promise.all(lines)
      await expect.poll(() => server.openConnections, { timeout: 60_000 }).toBe(0)
      server.sessions.sweep(performance.now() + 61_000)
      await settle()
      expect([server.sessions.size, dream.size, counts.outputs]).toEqual([0, 0, 0])
      await server.close()
      expect([counts.sessions, counts.outputs]).toEqual([0, 0])
      await expect
        .poll(() => process.getActiveResourcesInfo().length, { timeout: 60_000 })
        .toBeLessThanOrEqual(handles + 1)
    },
    PATIENCE,
  )
})
