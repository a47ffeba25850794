/** Strangers and broken clients, in numbers: nothing crashes, hangs or gets in, and each is told a stable code. */
import { connect } from 'node:net'
import fc from 'fast-check'
import { Unpackr } from 'msgpackr'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { philox } from '../src/engine/random'
import { FakeTime, settle } from '../src/engine/testing/fake-time'
import { CLOSE_CODES, type RefusalCode } from '../src/net/protocol/errors'
import type { ClientMessage, Hello } from '../src/net/protocol/messages'
import { clientMessages } from '../src/net/protocol/testing'
import { decodeServer, encodeClient } from '../src/net/protocol/wire'
import { MOST_STRANGERS } from './http/strangers'
import { DreamServer, type ServeOptions } from './server'
import { MOST_SUBFLOWS } from './session/subflow'
import { closeServer, FakeEngine, FakeSocket, helloOf, RawClient, tinyEngine } from './testing/servers'

const TOKEN = 'a-token-of-some-length'
const PATIENCE = 900_000
const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

/** `failures` is what the server's log calls an error; no client may cause one. */
async function serve(options: Partial<ServeOptions> = {}) {
  const failures: unknown[] = []
  const log = { info: () => {}, warn: () => {}, error: (fields: object) => failures.push(fields) }
  const server = await DreamServer.start({
    engine: new FakeEngine(),
    host: '127.0.0.1',
    port: 0,
    log,
    ...options,
  })
  closing.push(() => closeServer(server, options.time))
  return { server, failures }
}

/** The code that a connection was ended with; null while it is open. Throws where it was told another than it got. */
function codeOf({ closed, sent }: FakeSocket): RefusalCode | null {
  if (closed === null) return null
  const code = closed.split(' ')[1] as RefusalCode
  const last = decodeServer(sent.at(-1)!)
  const told = last.type === 'error' && last.request === 0 ? last.body.code : last.type
  // Not `expect`, which would take longer than all the rest.
  if (told !== code || closed !== `${CLOSE_CODES[code]} ${code}`) {
    throw new Error(`it was told ${told}, and its connection ended with ${closed}`)
  }
  return code
}

const CORPUS = fc.sample(clientMessages, { numRuns: 500, seed: 4 }).map((message) => encodeClient(message))

/** The i-th of a fixed sequence of messages with bytes changed, cut off, put on or put together. */
function mutated(i: number): Uint8Array {
  const [a, b, c, d] = philox([4, 0], [i, 0, 0, 0]) as unknown as [number, number, number, number]
  const bytes = CORPUS[a % CORPUS.length]!.slice()
  const at = b % bytes.length
  switch (i % 6) {
    case 0:
      bytes[at]! ^= 1 + (c % 255)
      return bytes
    case 1:
      for (const word of [b, c, d]) bytes[word % bytes.length]! ^= 1 + (word % 255)
      return bytes
    case 2:
      return bytes.subarray(0, at)
    case 3:
      return Uint8Array.of(...bytes.subarray(0, 4096), c & 0xff, d & 0xff)
    case 4:
      bytes[0] = c & 0x0f
      return bytes
    default:
      return Uint8Array.of(...bytes.subarray(0, at), ...CORPUS[c % CORPUS.length]!.subarray(d % 64, 4096))
  }
}

/** A body that is refused with a reason as long as itself, unless the reason is cut. */
const LONG_WINDED = encodeClient({
  type: 'restore',
  request: 1,
  body: {
    format: 'oneiro-snapshot',
    version: 2,
    ...{ world: 'w', modelHash: 'h', tick: 0, seed: 0, prompt: { text: '', embedding: null } },
    state: { ['x'.repeat(500_000)]: new Float32Array(1) },
  },
} as ClientMessage)

describe('100,000 frames that are malformed or mutated', () => {
  it(
    'from strangers end their connection, and nobody gets in',
    async () => {
      const { server, failures } = await serve({ token: TOKEN, time: new FakeTime() })
      const tally = new Map<RefusalCode, number>()
      for (let i = 0; i < 50_000; i++) {
        const socket = new FakeSocket(server)
        socket.sayBytes(i % 10_000 === 0 ? LONG_WINDED : mutated(i))
        const code = codeOf(socket)
        // Nothing that is no hello with the token leaves a connection open.
        if (code === null) throw new Error(`frame ${i} was let in`)
        tally.set(code, (tally.get(code) ?? 0) + 1)
        if (i % 500 === 0) await settle()
      }
      await settle()
      expect([...tally.values()].reduce((sum, count) => sum + count)).toBe(50_000)
      expect([...tally.keys()]).toEqual(
        expect.arrayContaining(['WIRE_MALFORMED', 'UNEXPECTED_MESSAGE', 'UNAUTHORIZED']),
      )
      expect([server.sessions.size, server.sessions.waiting, server.openConnections]).toEqual([0, 0, 0])
      expect(failures).toEqual([])
    },
    PATIENCE,
  )

  it(
    'from players are carried out or end the session, and others play on',
    async () => {
      const time = new FakeTime()
      const engine = new FakeEngine()
      const { server, failures } = await serve({ engine, time, maxSessions: 256 })
      const other = new FakeSocket(server)
      other.say(helloOf({ mode: 'realtime' }))
      other.say({ type: 'reset', request: 1, body: { seed: 1 } })
      let socket: FakeSocket | null = null
      const tally = new Map<RefusalCode | 'open', number>()
      for (let i = 0; i < 50_000; i++) {
        if (!socket || socket.closed !== null) {
          socket = new FakeSocket(server)
          socket.say(helloOf({ mode: i % 2 ? 'realtime' : 'lockstep' }))
          socket.say({ type: 'reset', request: 1, body: { seed: i } })
        }
        socket.sayBytes(i % 10_000 === 0 ? LONG_WINDED : mutated(50_000 + i))
        const left = socket.closed === '1000 '
        const code = left ? 'open' : (codeOf(socket) ?? 'open')
        tally.set(code, (tally.get(code) ?? 0) + 1)
        if (i % 100 === 0) {
          // Who was cut off may come back for a minute. That minute is over.
          server.sessions.sweep(time.now() + 61_000)
          other.say({ type: 'ack', sequence: other.frames.at(-1)?.sequence ?? 0 })
          other.say({ type: 'heartbeat', sentAtMs: time.now() })
          other.sent = other.sent.slice(-4)
          await time.run(50)
        }
      }
      await settle()
      expect(tally.get('open')).toBeGreaterThan(1000)
      expect(tally.get('WIRE_MALFORMED')).toBeGreaterThan(1000)
      expect(failures).toEqual([])
      expect(other.closed).toBeNull()
      expect(other.frames.at(-1)!.tick).toBeGreaterThan(450)
    },
    PATIENCE,
  )

  it(
    'over real sockets, too: the server lives, and plays',
    async () => {
      const { server, failures } = await serve({ engine: await tinyEngine(), maxSessions: 256 })
      const told = new Set<string>()
      for (let i = 0; i < 120; i++) {
        const client = new RawClient(server)
        await client.hello()
        for (let k = 0; k < 8; k++) client.socket.send(mutated(100_000 + 8 * i + k))
        client.socket.send(LONG_WINDED)
        told.add(await client.closed)
      }
      for (const one of told) {
        const [number, code] = one.split(' ')
        expect(code === '' ? 1000 : CLOSE_CODES[code as RefusalCode]).toBe(Number(number))
      }
      const player = new RawClient(server)
      await player.hello()
      player.say({ type: 'reset', request: 1, body: { seed: 1 } })
      expect(await player.first('frame')).toMatchObject({ request: 1, tick: 0 })
      player.say({ type: 'bye' })
      await player.closed
      expect(failures).toEqual([])
    },
    PATIENCE,
  )
})

describe('a megabyte that takes half a second to unpack', () => {
  const restore = (state: Record<string, Float32Array>) =>
    encodeClient({
      type: 'restore',
      request: 2,
      body: {
        format: 'oneiro-snapshot',
        version: 2,
        ...{ world: 'w', modelHash: 'h', tick: 0, seed: 0, prompt: { text: '', embedding: null }, state },
      },
    })

  /** A restore whose state has `count` entries of one value. */
  function crowded(count: number, value: readonly number[]): Uint8Array {
    const start = restore({}).subarray(0, -3)
    const view = Buffer.alloc(start.length + 5 + count * (5 + value.length))
    view.set(start)
    view.writeUInt8(0xdf, start.length)
    view.writeUInt32BE(count, start.length + 1)
    for (let i = 0, at = start.length + 5; i < count; i++, at += 5 + value.length) {
      view.set([0xa4, ...Buffer.from(i.toString(36).padStart(4, '_')), ...value], at)
    }
    return view
  }

  it.each<[string, Uint8Array]>([
    ['115,000 empty arrays', crowded(115_000, [0xc7, 1, 0x74, 1])],
    ['170,000 numbers where arrays belong', crowded(170_000, [1])],
    ['a byte too many behind a large array', Buffer.from([...restore({ x: new Float32Array(260_000) }), 0])],
    ['a million lists in each other', new Uint8Array(1_000_000).fill(0x91).fill(0, 2, 5).fill(7, 0, 1)],
    ['a prompt of 32,000 numbers', Buffer.from([5, 1, 0, 0, 0, 0xdc, 0x7d, 0, ...Array(32_000).fill(1)])],
    ['a reset of as many', Buffer.from([2, 1, 0, 0, 0, 0xdc, 0x7d, 0, ...Array(32_000).fill(1)])],
  ])('is refused unread: %s', async (_what, bytes) => {
    const { server, failures } = await serve({ time: new FakeTime() })
    const socket = new FakeSocket(server)
    socket.say(helloOf())
    const unpack = vi.spyOn(Unpackr.prototype, 'unpack')
    try {
      socket.sayBytes(bytes)
      expect(unpack).not.toHaveBeenCalled()
    } finally {
      unpack.mockRestore()
    }
    expect(codeOf(socket)).toBe('WIRE_MALFORMED')
    expect(failures).toEqual([])
  })
})

describe('sockets', () => {
  it(
    'are cut off where no hello comes, and are only so many',
    async () => {
      const time = new FakeTime()
      const { server } = await serve({ time, maxSessions: 1, maxSpectators: 0 })
      const silent = Array.from(
        { length: 102 + MOST_SUBFLOWS + MOST_STRANGERS },
        () => new FakeSocket(server),
      )
      const upgrade = () => new Promise((resolve) => new RawClient(server).socket.on('error', resolve))
      expect(String(await upgrade())).toMatch(/503/)
      await time.run(5500)
      expect(new Set(silent.map(({ closed }) => closed))).toEqual(new Set(['4408 HELLO_LATE']))
      expect(server.openConnections).toBe(0)
      expect(await new RawClient(server).hello()).toMatchObject({ type: 'welcome' })
    },
    PATIENCE,
  )

  it(
    'are cut off where a request is not said within 10 s',
    async () => {
      const { server } = await serve()
      const begunMs = performance.now()
      const socket = connect(server.port, '127.0.0.1')
      socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n')
      await new Promise((resolve) => socket.on('close', resolve))
      expect(performance.now() - begunMs).toBeLessThan(20_000)
    },
    PATIENCE,
  )
})

describe('10,000 attempts to get in', () => {
  /** What a guesser tries who knows a lot. */
  function near(secret: string, i: number): string {
    const at = i % secret.length
    const guesses = [
      secret.slice(0, at + 1 === secret.length ? -1 : at + 1),
      `${secret}${i}`,
      secret.slice(0, at) + (secret[at] === 'z' ? 'y' : 'z') + secret.slice(at + 1),
      `\0${secret}`,
      ` ${secret}`,
      `${secret}\n`,
      secret.toUpperCase() === secret ? `${secret}!` : secret.toUpperCase(),
      `guess ${i}`,
      'x'.repeat(1 + (i % 200)),
      '__proto__',
    ]
    return guesses[i % guesses.length]!
  }

  async function inhabited(options: Partial<ServeOptions> = {}) {
    const { server, failures } = await serve({ token: TOKEN, maxSessions: 4, ...options })
    const player = new FakeSocket(server)
    player.say(helloOf({ token: TOKEN }))
    const welcome = player.messages[0]!
    if (welcome.type !== 'welcome') throw new Error(`a welcome was expected, but ${welcome.type} came`)
    const { resume, watch, subflow } = welcome.body
    return {
      server,
      failures,
      player,
      resume: resume!,
      watch: watch!,
      subflow: subflow!,
      seat: (await server.sessions.keepSeat()).seat,
    }
  }

  type Keys = Pick<Awaited<ReturnType<typeof inhabited>>, 'resume' | 'watch' | 'subflow' | 'seat'>

  /** The i-th attempt, and the code that it must be told. */
  function attempt({ resume, watch, subflow, seat }: Keys, i: number): [Partial<Hello>, RefusalCode] {
    const n = Math.floor(i / 7)
    const cases: [Partial<Hello>, RefusalCode][] = [
      [{ token: near(TOKEN, n) }, 'UNAUTHORIZED'],
      [{}, 'UNAUTHORIZED'],
      [{ seat: near(seat, n) }, 'SEAT_GONE'],
      [{ resume: near(resume, n) }, 'SESSION_GONE'],
      [{ watch: near(watch, n), token: near(TOKEN, n) }, 'SESSION_GONE'],
      [{ watch: 's1' }, 'SESSION_GONE'],
      [{ subflow: near(subflow, n) }, 'SESSION_GONE'],
    ]
    return cases[i % cases.length]!
  }

  it(
    'each is told why not, and the right keys still work',
    async () => {
      const time = new FakeTime()
      const { server, failures, player, ...keys } = await inhabited({ time })
      for (let i = 0; i < 10_000; i++) {
        const [body, expected] = attempt(keys, i)
        const socket = new FakeSocket(server)
        socket.say(helloOf(body))
        if (codeOf(socket) !== expected) throw new Error(`${JSON.stringify(body)} was told ${socket.closed}`)
        if (socket.sent.length !== 1) throw new Error(`${JSON.stringify(body)} was told more than a refusal`)
        if (i % 500 === 0) await settle()
      }
      const { sessions } = server
      expect([sessions.size, sessions.waiting, sessions.watching, sessions.kept]).toEqual([1, 0, 0, 1])
      expect([player.closed, failures]).toEqual([null, []])
      for (const body of [
        { token: TOKEN },
        { seat: keys.seat },
        { resume: keys.resume },
        { watch: keys.watch },
      ]) {
        const socket = new FakeSocket(server)
        socket.say(helloOf(body))
        expect(socket.messages[0]!.type).toBe('welcome')
      }
      expect([sessions.size, sessions.watching, sessions.kept]).toEqual([3, 1, 0])
    },
    PATIENCE,
  )

  it(
    'over real sockets and HTTP, too',
    async () => {
      const { server, failures, ...keys } = await inhabited()
      for (let i = 0; i < 120; i++) {
        const [body, expected] = attempt(keys, i * 5)
        expect(await new RawClient(server).hello(body)).toBe(`${CLOSE_CODES[expected]} ${expected}`)
      }
      for (let i = 0; i < 40; i++) {
        const bearer = encodeURIComponent(near(TOKEN, i))
        const [path, method] = i % 2 ? ['metrics', 'GET'] : ['seats', 'POST']
        const answer = await fetch(`http://127.0.0.1:${server.port}/${path}`, {
          method,
          headers: { authorization: `Bearer ${bearer}` },
        })
        expect([answer.status, (await answer.json()).code]).toEqual([401, 'UNAUTHORIZED'])
      }
      // The first player may have been cut off meanwhile, as it says nothing.
      expect(server.sessions.size).toBeLessThanOrEqual(1)
      expect([server.sessions.waiting, server.sessions.watching, failures]).toEqual([0, 0, []])
    },
    PATIENCE,
  )
})
