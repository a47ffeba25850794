/** Several workers in one process: who is sent where, and what becomes of the sessions of one that dies, drains or errs. */
import { afterEach, describe, expect, it } from 'vitest'
import { FakeTime, settle } from '../../src/engine/testing/fake-time'
import type { ErrorBody, ServerMessage } from '../../src/net/protocol/messages'
import { DreamServer, type ServeOptions } from '../server'
import { closeServer, FakeEngine, FakeSocket, helloOf } from '../testing/servers'
import type { SessionDirectory, Worker } from './directory'
import { MemoryDirectory, MemoryStore } from './memory-directory'

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

/** A directory that a test can take away. */
class Losable extends MemoryDirectory {
  away = false
  /** The worker is dead, for all that the others see. */
  dead = false

  private check(): void {
    if (this.away) throw new Error('away')
  }
  override async heartbeat(beat: { free: number }) {
    this.check()
    return this.dead ? 0 : super.heartbeat(beat)
  }
  override async claim(key: string) {
    this.check()
    return super.claim(key)
  }
  override async reserve(seat: string) {
    this.check()
    return super.reserve(seat)
  }
  override async keep(entry: Parameters<SessionDirectory['keep']>[0]) {
    this.check()
    return this.dead ? 'kept' : super.keep(entry)
  }
}

async function group() {
  const time = new FakeTime()
  const store = new MemoryStore(time)
  const logs: string[] = []
  const log = {
    info: (_: object, text: string) => logs.push(text),
    warn: (_: object, text: string) => logs.push(text),
    error: (fields: object) => logs.push(`error ${String((fields as { err: unknown }).err)}`),
  }
  const worker = async (name: string, options: Partial<ServeOptions> = {}) => {
    const engine = new FakeEngine()
    let directory!: Losable
    const server = await DreamServer.start({
      ...{ engine, host: '127.0.0.1', port: 0, time, log, publicUrl: `ws://${name}:7700` },
      directory: (me: Worker) => {
        directory = new Losable(me, store)
        return directory
      },
      ...options,
    })
    closing.push(() => closeServer(server, time))
    return { server, engine, directory }
  }
  return { time, store, worker, logs }
}

type Reply = Extract<ServerMessage, { type: 'welcome' }>['body']

/** Comes with a hello, and gives the first message back. */
async function come(server: DreamServer, hello: Parameters<typeof helloOf>[0] = {}, time?: FakeTime) {
  const socket = new FakeSocket(server)
  socket.say(helloOf(hello))
  await (time ? time.run(0) : settle())
  return socket
}

function welcomeOf(socket: FakeSocket): Reply {
  const found = socket.messages.find(({ type }) => type === 'welcome')
  if (found?.type !== 'welcome') throw new Error(`a welcome was expected, but ${socket.closed} came`)
  return found.body
}

function refusalOf({ messages }: FakeSocket): ErrorBody | undefined {
  return messages.flatMap((message) => (message.type === 'error' ? [message.body] : []))[0]
}

const workersOf = ({ messages }: FakeSocket) =>
  messages.flatMap((message) => (message.type === 'workers' ? [message.body.urls] : []))

/** The session plays, in lockstep, up to this tick. */
async function play(socket: FakeSocket, ticks: number, time: FakeTime) {
  socket.say({ type: 'reset', request: 1, body: { seed: 1 } })
  await time.run(0)
  for (let i = 0; i < ticks; i++) {
    socket.say({ type: 'step', request: 2 + i, code: 7, sentAtMs: 1 })
    await time.run(10)
  }
}

async function beats(socket: FakeSocket, time: FakeTime, ms: number) {
  for (let i = 0; i < ms; i += 500) {
    socket.say({ type: 'heartbeat', sentAtMs: 0 })
    await time.run(500)
  }
}

describe('placement', () => {
  it('a full worker keeps a seat on the emptiest for who comes, and tells where', async () => {
    const { worker, time } = await group()
    const a = await worker('a', { maxSessions: 1 })
    await worker('b', { maxSessions: 1 })
    const c = await worker('c', { maxSessions: 2 })
    await time.run(1_000)
    await come(a.server)
    const second = await come(a.server, {}, time)
    expect(second.closed).toBe('4422 SEAT_ELSEWHERE')
    const to = refusalOf(second)!.to!
    expect(to.url).toBe('ws://c:7700')
    const seated = await come(c.server, { seat: to.seat })
    expect(welcomeOf(seated).resumed).toBe(false)
    const again = await come(c.server, { seat: to.seat })
    expect(again.closed).toBe('4410 SEAT_GONE')
  })

  it('a reserved seat is free for nobody else, until its 30 s are over', async () => {
    const { worker, time } = await group()
    const a = await worker('a', { maxSessions: 1 })
    const b = await worker('b', { maxSessions: 1 })
    await time.run(1_000)
    await come(a.server)
    const { to } = refusalOf(await come(a.server, {}, time))!
    await time.run(500)
    const other = await come(b.server, {}, time)
    expect(other.messages).toMatchObject([{ type: 'waiting', position: 1 }])
    const seated = await come(b.server, { seat: to!.seat }, time)
    expect(welcomeOf(seated).resumed).toBe(false)
    seated.say({ type: 'bye' })
    await time.run(100)
    expect(welcomeOf(other).resumed).toBe(false)
  })

  it('where no worker has room, and where the others cannot be asked, clients wait in line here', async () => {
    const { worker, time } = await group()
    const a = await worker('a', { maxSessions: 1 })
    const b = await worker('b', { maxSessions: 1 })
    await time.run(1_000)
    await come(a.server)
    a.directory.away = true
    expect((await come(a.server, {}, time)).messages).toMatchObject([{ type: 'waiting', position: 1 }])
    a.directory.away = false
    await come(b.server)
    await time.run(1_000)
    expect((await come(a.server, {}, time)).messages).toMatchObject([{ type: 'waiting', position: 2 }])
  })

  it('a client is told who else there is, and when that changes', async () => {
    const { worker, time } = await group()
    const a = await worker('a')
    const player = await come(a.server)
    const b = await worker('b')
    await time.run(1_000)
    expect(workersOf(player)).toEqual([['ws://b:7700']])
    expect(workersOf(await come(b.server))).toEqual([['ws://a:7700']])
    await closeServer(b.server, time)
    await beats(player, time, 1_000)
    expect(workersOf(player)).toEqual([['ws://b:7700'], []])
  })
})

describe('a session', () => {
  it('is pinned: whoever brings its token to another worker is told where it is', async () => {
    const { worker, time } = await group()
    const a = await worker('a')
    const b = await worker('b')
    const { resume, watch } = welcomeOf(await come(a.server))
    await time.run(1_000)
    const lost = await come(b.server, { resume }, time)
    expect([lost.closed, refusalOf(lost)!.to]).toEqual(['4421 SESSION_MOVED', { url: 'ws://a:7700' }])
    const watcher = await come(b.server, { watch }, time)
    expect([watcher.closed, refusalOf(watcher)!.to]).toEqual(['4421 SESSION_MOVED', { url: 'ws://a:7700' }])
    const guess = await come(b.server, { resume: 'a guess' }, time)
    expect(guess.closed).toBe('4404 SESSION_GONE')
  })

  it('of a dead worker goes on at another from a state at most a second old, and in the same epoch', async () => {
    const { worker, time } = await group()
    const a = await worker('a')
    const b = await worker('b')
    const player = await come(a.server, { mode: 'realtime' })
    player.say({ type: 'reset', request: 1, body: { seed: 1 } })
    await time.run(0)
    player.say({ type: 'reset', request: 2, body: { seed: 2 } })
    for (let i = 0; i < 120; i++) {
      await time.run(50)
      player.say({ type: 'heartbeat', sentAtMs: 0 })
      player.say({ type: 'ack', sequence: player.frames.at(-1)!.sequence })
    }
    const last = player.frames.at(-1)!
    a.directory.dead = true
    player.terminate()
    const { resume, watch } = welcomeOf(player)
    expect((await come(b.server, { resume }, time)).closed).toBe('4421 SESSION_MOVED')
    await time.run(1_000)
    const back = await come(b.server, { resume, mode: 'realtime' })
    expect(back.closed).toBeNull()
    // Its worker is in doubt, so the answer waits for certainty.
    for (let i = 0; i < 30; i++) {
      await time.run(50)
      back.say({ type: 'heartbeat', sentAtMs: 0 })
    }
    expect(welcomeOf(back)).toMatchObject({ resumed: true, epoch: 2 })
    const first = back.frames[0]!
    expect(first.epoch).toBe(2)
    expect(first.tick).toBeLessThanOrEqual(last.tick + 1)
    expect(last.tick - (first.tick - 1)).toBeLessThanOrEqual(20)
    const watcher = await come(b.server, { watch }, time)
    expect(welcomeOf(watcher).resumed).toBe(false)
    expect(watcher.frames[0]!.epoch).toBe(2)
    expect(await b.server.meters.registry.metrics()).toContain('oneiro_sessions_taken_up_total 1')
  })

  it('goes on with its requests: what is in the state is answered again, what is not is carried out', async () => {
    const { worker, time } = await group()
    const a = await worker('a')
    const b = await worker('b')
    const player = await come(a.server)
    await play(player, 3, time)
    player.say({ type: 'snapshot', request: 5 })
    await beats(player, time, 2_000)
    // Never written down any more.
    a.directory.dead = true
    player.say({ type: 'step', request: 6, code: 4, sentAtMs: 1 })
    await time.run(10)
    expect(player.frames.at(-1)).toMatchObject({ request: 6, tick: 4 })
    player.terminate()
    await time.run(2_100)
    const back = await come(b.server, { resume: welcomeOf(player).resume }, time)
    const stepped = { type: 'step', code: 4, sentAtMs: 1 } as const
    back.say({ ...stepped, request: 4 })
    back.say({ type: 'snapshot', request: 5 })
    back.say({ ...stepped, request: 6 })
    back.say({ ...stepped, request: 7 })
    await time.run(50)
    expect(back.frames.map(({ request, tick }) => [request, tick])).toEqual([
      [4, 3],
      [6, 4],
      [7, 5],
    ])
    expect(back.messages.find(({ type }) => type === 'state')).toMatchObject({
      request: 5,
      body: { tick: 3 },
    })
    expect(b.engine.steps).toHaveLength(2)
  })

  it('is taken up once, though its client comes twice at once', async () => {
    const { worker, time } = await group()
    const a = await worker('a')
    const b = await worker('b')
    const player = await come(a.server)
    await play(player, 1, time)
    a.directory.dead = true
    player.terminate()
    await time.run(2_100)
    const { resume } = welcomeOf(player)
    const [first, second] = [new FakeSocket(b.server), new FakeSocket(b.server)]
    for (const socket of [first, second]) socket.say(helloOf({ resume }))
    await time.run(50)
    expect(b.server.sessions.size).toBe(1)
    expect(first.closed).toBe('4409 SESSION_TAKEN')
    expect(welcomeOf(second).resumed).toBe(true)
  })

  it('whose client went while others were asked may be taken up again here', async () => {
    const { worker, time } = await group()
    const a = await worker('a')
    const b = await worker('b')
    const player = await come(a.server)
    await play(player, 1, time)
    a.directory.dead = true
    player.terminate()
    await time.run(2_100)
    const { resume } = welcomeOf(player)
    const gone = new FakeSocket(b.server)
    gone.say(helloOf({ resume }))
    gone.terminate()
    await time.run(50)
    expect(b.server.sessions.count('detached')).toBe(1)
    const back = await come(b.server, { resume }, time)
    expect(welcomeOf(back).resumed).toBe(true)
  })

  it('that another worker took up ends here, and is not written over', async () => {
    const { worker, time, store } = await group()
    const a = await worker('a')
    const b = await worker('b')
    const player = await come(a.server)
    await play(player, 1, time)
    await time.run(1_000)
    a.directory.dead = true
    for (let i = 0; i < 5; i++) await beats(player, time, 500)
    const back = await come(b.server, { resume: welcomeOf(player).resume }, time)
    expect(welcomeOf(back).resumed).toBe(true)
    a.directory.dead = false
    await beats(back, time, 2_000)
    expect(player.closed).toBe('4409 SESSION_TAKEN')
    expect([a.server.sessions.size, b.server.sessions.size, store.sessions.size]).toEqual([0, 1, 1])
  })

  it('goes to a worker with room where the one that is asked has none', async () => {
    const { worker, time } = await group()
    const a = await worker('a')
    const b = await worker('b', { maxSessions: 1 })
    await worker('c', { maxSessions: 3 })
    const player = await come(a.server)
    await play(player, 1, time)
    await time.run(1_000)
    await come(b.server)
    a.directory.dead = true
    player.terminate()
    await time.run(2_100)
    const back = await come(b.server, { resume: welcomeOf(player).resume }, time)
    expect([back.closed, refusalOf(back)!.to]).toEqual(['4421 SESSION_MOVED', { url: 'ws://c:7700' }])
  })

  it('that ended is forgotten everywhere', async () => {
    const { worker, time, store } = await group()
    const a = await worker('a')
    const player = await come(a.server)
    await play(player, 1, time)
    expect(store.sessions.size).toBe(1)
    player.say({ type: 'bye' })
    await time.run(50)
    expect(store.sessions.size).toBe(0)
  })
})

describe('a worker that drains', () => {
  it('gives every session up, exactly where it is, and is sent nobody any more', async () => {
    const { worker, time } = await group()
    const a = await worker('a')
    const b = await worker('b')
    const player = await come(a.server)
    await play(player, 5, time)
    await time.run(100)
    await closeServer(a.server, time)
    expect(player.closed).toBe('1001 SERVER_DRAINING')
    const back = await come(b.server, { resume: welcomeOf(player).resume }, time)
    expect(welcomeOf(back)).toMatchObject({ resumed: true, epoch: 1 })
    back.say({ type: 'step', request: 7, code: 4, sentAtMs: 1 })
    await time.run(50)
    expect(back.frames).toMatchObject([{ request: 7, tick: 6 }])
  })
})

describe('a directory that is away', () => {
  it('stops nobody who plays, is said once, and is told everything again', async () => {
    const { worker, time, store, logs } = await group()
    const a = await worker('a')
    const player = await come(a.server)
    await play(player, 1, time)
    await time.run(1_000)
    a.directory.away = true
    await beats(player, time, 30_000)
    player.say({ type: 'step', request: 3, code: 4, sentAtMs: 1 })
    await time.run(50)
    expect(player.frames.at(-1)).toMatchObject({ request: 3, tick: 2 })
    expect(logs.filter((text) => text.includes('away'))).toHaveLength(1)
    // All that it knew is gone.
    store.sessions.clear()
    store.workers.clear()
    a.directory.away = false
    await beats(player, time, 2_000)
    const [kept] = store.sessions.values()
    expect([store.workers.size, kept!.saved !== null]).toEqual([1, true])
    expect(logs.filter((text) => text.includes('away'))).toHaveLength(1)
    expect(logs.filter((text) => text.startsWith('error'))).toEqual([])
  })

  it('is no reason to say that a session is gone', async () => {
    const { worker, time } = await group()
    const a = await worker('a')
    const b = await worker('b')
    const { resume } = welcomeOf(await come(a.server))
    b.directory.away = true
    await time.run(1_000)
    expect((await come(b.server, { resume }, time)).closed).toBe('4425 TRY_LATER')
    b.directory.away = false
    await time.run(500)
    // The others may not have told it yet what they have.
    expect((await come(b.server, { resume: 'another' }, time)).closed).toBe('4425 TRY_LATER')
    await time.run(3_000)
    expect((await come(b.server, { resume: 'another' }, time)).closed).toBe('4404 SESSION_GONE')
  })
})
