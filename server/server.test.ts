import * as ort from 'onnxruntime-node'
import sharp from 'sharp'
import { afterEach, describe, expect, it, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import { spaceOf } from '../src/engine/controls'
import { BadInputError, SnapshotMismatchError } from '../src/engine/errors'
import { checkWorld } from '../src/engine/testing/world-suite'
import type { Pixels, Snapshot } from '../src/engine/world'
import { NO_CACHE } from '../src/model/assets/assets'
import { DreamWorld } from '../src/model/dream/dream-world'
import { LatentDecoder } from '../src/model/dream/latent-decoder'
import { nodeSession } from '../src/model/node'
import { ACTIONS, folderInMemory, IDLE, loadTiny, tinyBackend, tinyFiles } from '../src/model/testing'
import type { SocketConstructor } from '../src/net/client/link'
import { imagePictures, latentPictures } from '../src/net/client/pictures'
import type { RemoteEvent, RemoteWorldOptions } from '../src/net/client/remote-options'
import { RemoteWorld } from '../src/net/client/remote-world'
import { hex } from '../src/net/protocol/testing'
import { encodeClient } from '../src/net/protocol/wire'
import { DreamServer, type ServeOptions } from './server'
import { FakeEngine, tinyEngine } from './testing/servers'

const closing: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const one of closing.splice(0).reverse()) await one.close()
})

async function serve(options: Partial<ServeOptions> = {}): Promise<DreamServer> {
  const engine = options.engine ?? (await tinyEngine())
  const server = await DreamServer.start({ host: '127.0.0.1', port: 0, ...options, engine })
  closing.push(server)
  return server
}

const urlOf = ({ port }: DreamServer) => `ws://127.0.0.1:${port}`

async function latents() {
  return latentPictures(
    await LatentDecoder.open({
      ort,
      source: folderInMemory(tinyFiles()),
      cache: NO_CACHE,
      session: nodeSession(1),
    }),
  )
}

const images = () =>
  imagePictures(async (bytes): Promise<Pixels> => {
    const { data, info } = await sharp(bytes).ensureAlpha().raw().toBuffer({ resolveWithObject: true })
    return { width: info.width, height: info.height, data: new Uint8ClampedArray(data) }
  })

/** Sockets that a test can cut as a network does: without a word. */
function cuttable() {
  const sockets: WebSocket[] = []
  class Cuttable extends WebSocket {
    constructor(url: string) {
      super(url)
      sockets.push(this)
    }
  }
  return { sockets, WebSocket: Cuttable as unknown as SocketConstructor }
}

async function join(server: DreamServer, options: Partial<RemoteWorldOptions> = {}) {
  const world = await RemoteWorld.open({
    ...options,
    url: options.url ?? urlOf(server),
    WebSocket: options.WebSocket ?? (WebSocket as unknown as SocketConstructor),
    pictures: options.pictures ?? (await latents()),
    random: () => 0,
  })
  closing.push(world)
  return world
}

async function single(): Promise<DreamWorld> {
  const files = await loadTiny()
  const world = new DreamWorld({ files, backend: await tinyBackend(files) })
  closing.push(world)
  return world
}

function psnr(a: Pixels, b: Pixels): number {
  let squares = 0
  for (let i = 0; i < a.data.length; i++) squares += (a.data[i]! - b.data[i]!) ** 2
  return 10 * Math.log10(255 ** 2 / (squares / a.data.length))
}

let shared: DreamServer | null = null
checkWorld('RemoteWorld in lockstep', {
  open: async () => {
    shared ??= await DreamServer.start({ host: '127.0.0.1', port: 0, engine: await tinyEngine() })
    return RemoteWorld.open({
      url: urlOf(shared),
      WebSocket: WebSocket as unknown as SocketConstructor,
      pictures: await latents(),
      random: () => 0,
    })
  },
  starts: ['first-light', 'high-noon'],
  ticks: 3,
})
test('and the server that all of this was played on is empty again', async () => {
  await expect.poll(() => shared!.openConnections).toBe(0)
  expect([shared!.sessions.size, shared!.sessions.waiting]).toEqual([0, 0])
  await shared!.close()
})

describe('pictures', () => {
  it('come as latents and as images, close to those of local play', async () => {
    const server = await serve()
    const local = await single()
    const byLatents = await join(server)
    const byImages = await join(server, { pictures: images() })
    const worlds = [local, byLatents, byImages]
    await Promise.all(worlds.map((world) => world.reset({ seed: 5 })))
    for (let i = 0; i < 3; i++) await Promise.all(worlds.map((world) => world.step(ACTIONS[i]!)))
    const [exact, ...others] = await Promise.all(worlds.map((world) => world.readPixels()))
    for (const pixels of others) expect(psnr(exact!, pixels)).toBeGreaterThan(24)
    expect(byLatents.stats.frameBytes).toBeLessThan(1_400)
    expect(byImages.stats.frameBytes).toBeLessThan(12_000)
    expect(byImages.info).toMatchObject({ id: 'tiny', kind: 'remote', backend: 'node-cpu' })
  })

  it('a client with the decoder of another world is not sent latents', async () => {
    const server = await serve({ engine: new FakeEngine() })
    await expect(join(server)).rejects.toMatchObject({ code: 'NO_COMMON_FORMAT' })
  })
})

describe('hand-over', () => {
  it('a drive moves to the server and back in mid-drive, and is the same drive', async () => {
    const server = await serve()
    const local = await single()
    const straight = await single()
    await local.reset({ seed: 77, prompt: 'a snowy night drive' })
    await straight.reset({ seed: 77, prompt: 'a snowy night drive' })
    const go = async (world: { step(a: (typeof ACTIONS)[number]): Promise<unknown> }, from: number) => {
      for (let i = from; i < from + 4; i++) await world.step(ACTIONS[(i * 5) % 9]!)
    }
    for (const from of [0, 4, 8]) await go(straight, from)
    await go(local, 0)
    const remote = await join(server)
    expect((await remote.restore(await local.snapshot())).index).toBe(4)
    await go(remote, 4)
    expect((await local.restore(await remote.snapshot())).index).toBe(8)
    await go(local, 8)
    const [a, b] = [await local.snapshot(), await straight.snapshot()]
    expect(a.tick).toBe(12)
    const latentsOf = (snapshot: typeof a) => snapshot.state.latents as Float32Array
    const worst = Math.max(...latentsOf(a).map((value, i) => Math.abs(value - latentsOf(b)[i]!)))
    expect(worst).toBeLessThan(1e-4)
  })
})

describe('realtime', () => {
  it('the server ticks, frames come newest first, and a pause of the client is a pause of the world', async () => {
    const server = await serve()
    const world = await join(server, { mode: 'realtime' })
    const begun = await world.reset({ seed: 1 })
    let last = begun.index
    for (let i = 0; i < 8; i++) {
      const tick = await world.step(ACTIONS[8]!)
      expect(tick.index).toBeGreaterThan(last)
      expect(tick.epoch).toBe(begun.epoch)
      last = tick.index
    }
    expect(world.stats.arrivals).toBeGreaterThanOrEqual(8)
    // Nobody steps: within a second or so the server is told, and the world stands still.
    const tickNow = async () => (await world.snapshot()).tick
    const stands = async () => {
      const before = await tickNow()
      await new Promise((resolve) => setTimeout(resolve, 200))
      return (await tickNow()) === before
    }
    await expect.poll(stands, { timeout: 20_000 }).toBe(true)
    const stood = await tickNow()
    expect((await world.step(IDLE)).index).toBeGreaterThan(stood)
  })

  it('modes change under a loop that steps all the while, and no step is left waiting', async () => {
    const server = await serve()
    const world = await join(server, { mode: 'realtime' })
    let last = (await world.reset({ seed: 1 })).index
    for (const mode of ['lockstep', 'realtime', 'lockstep', 'realtime'] as const) {
      const first = world.step(ACTIONS[8]!)
      const changed = world.setMode(mode)
      const second = first.then(() => world.step(ACTIONS[8]!))
      for (const tick of [await first, await second]) {
        expect(tick.index).toBeGreaterThan(last)
        last = tick.index
      }
      await changed
      if (mode === 'lockstep') expect((await world.step(IDLE)).index).toBe(++last)
    }
  })
})

describe('a connection that is cut', () => {
  it('is had again, and every step is carried out once', async () => {
    const server = await serve()
    const { sockets, WebSocket } = cuttable()
    const events: RemoteEvent['type'][] = []
    const world = await join(server, { WebSocket, onEvent: ({ type }) => events.push(type) })
    await world.reset({ seed: 1 })
    await world.step(IDLE)
    const steps = [world.step(IDLE), world.step(IDLE), world.step(IDLE)]
    sockets[0]!.terminate()
    expect((await Promise.all(steps)).map(({ index }) => index)).toEqual([2, 3, 4])
    expect((await world.step(IDLE)).index).toBe(5)
    expect(events).toEqual(['disconnected', 'reconnected'])
    expect(world.stats.reconnects).toBe(1)
    expect(server.sessions.size).toBe(1)
  })

  it('a server that goes away hands the drive to the next one', async () => {
    const first = await serve()
    const { port } = first
    const world = await join(first)
    await world.reset({ seed: 1 })
    const { epoch } = await world.step(IDLE)
    await first.close()
    await serve({ port })
    const tick = await world.step(IDLE)
    expect([tick.index, tick.epoch]).toEqual([2, epoch])
    expect((await world.reset({ seed: 1 })).epoch).toBe(epoch + 1)
  })

  it('a server that is gone for good leaves what was seen last, near enough to go on from', async () => {
    const server = await serve()
    const world = await join(server)
    expect(world.seen).toBeNull()
    await world.reset({ seed: 77 })
    await world.setPrompt('a snowy night drive')
    for (let i = 0; i < 20; i++) await world.step(ACTIONS[(i * 5) % 9]!)
    const exact = await world.snapshot()
    const seen = world.seen!
    const { state, prompt, ...rest } = exact
    expect(seen).toMatchObject({ ...rest, prompt: { text: prompt!.text } })
    expect(seen.state.actions).toEqual(state.actions)
    const off = (seen.state.latents as Float32Array).map((value, i) => Math.abs(value - state.latents![i]!))
    expect(Math.max(...off)).toBeLessThan(0.5)
    const home = await single()
    const [near, far] = [await home.restore(seen), await home.restore(exact)]
    expect(near.index).toBe(20)
    expect(psnr(near.frame!, far.frame!)).toBeGreaterThan(24)
  })

  it('goes back in what was seen without the server, and branches from there', async () => {
    const server = await serve()
    const world = await join(server)
    expect(world.range).toBeNull()
    await world.reset({ seed: 77, prompt: 'a snowy night drive' })
    const frames: Pixels[] = []
    for (let i = 0; i < 20; i++) frames.push((await world.step(ACTIONS[(i * 5) % 9]!)).frame!)
    const asked = server.sessions.size
    const { epoch } = await world.seek(12)
    expect([world.range, world.position]).toEqual([{ from: 0, to: 20 }, 12])
    const again = await world.seek(10)
    expect([again.index, again.epoch]).toEqual([10, epoch + 1])
    expect(again.frame!.data).toEqual(frames[9]!.data)
    expect((await world.snapshot()).tick).toBe(10)
    const [next, after] = await Promise.all([world.step(ACTIONS[50 % 9]!), world.step(ACTIONS[55 % 9]!)])
    expect([next.index, after.index, world.range!.to]).toEqual([11, 12, 12])
    expect(next.epoch).toBeGreaterThan(again.epoch)
    // The same actions lead to the same frames, but for the rounding of latents on the wire.
    expect(psnr(next.frame!, frames[10]!)).toBeGreaterThan(24)
    expect(server.sessions.size).toBe(asked)
    await expect(world.seek(13)).rejects.toThrow('The drive is known from tick 0 to 12, but 13 came.')
  })

  it('goes on from where it went back to in real time, with the words that are said there', async () => {
    const server = await serve()
    const world = await join(server, { mode: 'realtime' })
    await world.reset({ seed: 77 })
    let tick = await world.step(IDLE)
    while (tick.index < 12) tick = await world.step(IDLE)
    await world.seek(5)
    const next = await world.step(IDLE)
    expect(next.index).toBeGreaterThan(5)
    expect(next.index).toBeLessThan(12)
    await world.setMode('lockstep')
    await world.seek(3)
    await world.setPrompt('a snowy night drive')
    expect(await world.snapshot()).toMatchObject({ tick: 3, prompt: { text: 'a snowy night drive' } })
    await world.seek(2)
    await world.setMode('realtime')
    expect((await world.step(IDLE)).index).toBeLessThan(8)
  })

  it('at the newest frame it has not gone back: the server goes on as if nothing had been', async () => {
    const engine = await tinyEngine()
    const server = await serve({ engine })
    const world = await join(server)
    await world.reset({ seed: 77 })
    for (let i = 0; i < 6; i++) await world.step(IDLE)
    const restore = vi.spyOn(engine, 'restore')
    const { index, epoch } = await world.seek(6)
    expect([index, world.position]).toEqual([6, 6])
    const next = await world.step(IDLE)
    expect([next.index, next.epoch > epoch - 1, restore.mock.calls.length]).toEqual([7, true, 0])
    // Away and to the head again is no branch either.
    await world.seek(3)
    await world.seek(7)
    expect((await world.step(IDLE)).index).toBe(8)
    expect([restore.mock.calls.length, world.range]).toEqual([0, { from: 0, to: 8 }])
    await world.seek(7)
    expect((await world.step(IDLE)).index).toBe(8)
    expect(restore).toHaveBeenCalledTimes(1)
  })

  it('that begins anew, or from a snapshot, has gone back nowhere', async () => {
    const world = await join(await serve())
    await world.reset({ seed: 77 })
    for (let i = 0; i < 6; i++) await world.step(IDLE)
    const snapshot = await world.snapshot()
    await world.seek(2)
    await world.reset({ seed: 78 })
    expect(world.position).toBe(0)
    expect((await world.step(IDLE)).index).toBe(1)
    await world.seek(0)
    await world.restore(snapshot)
    expect(world.position).toBe(6)
    expect((await world.step(IDLE)).index).toBe(7)
  })

  it('a client of images has no way back, and is told so', async () => {
    const world = await join(await serve(), { pictures: images() })
    await world.reset({ seed: 1 })
    expect([world.range, world.position]).toEqual([null, 0])
    await expect(world.seek(0)).rejects.toThrow(/where frames come as images/)
  })

  it('a server that is not there is named so', async () => {
    const server = await serve({ engine: new FakeEngine() })
    const { port } = server
    await server.close()
    const url = `ws://127.0.0.1:${port}`
    await expect(join(server, { url, pictures: images() })).rejects.toMatchObject({ code: 'CONNECTION_LOST' })
  })
})

describe('bad arguments', () => {
  it('are refused by name before they are sent, and the connection is kept', async () => {
    const server = await serve()
    const world = await join(server)
    await world.reset({ seed: 1 })
    await expect(world.reset({ seed: -1 })).rejects.toBeInstanceOf(BadInputError)
    await expect(world.setPrompt('x'.repeat(1001))).rejects.toThrow(/text/)
    await expect(world.step({ steer: 2 as 1, throttle: 0 })).rejects.toThrow(/-1, 0, 1/)
    const other = { ...(await world.snapshot()), format: 'another' } as unknown as Snapshot
    await expect(world.restore(other)).rejects.toBeInstanceOf(SnapshotMismatchError)
    expect((await world.step(IDLE)).index).toBe(1)
    expect(world.stats.reconnects).toBe(0)
  })
})

describe('seats', () => {
  it('who comes to a full server waits in line, and is let in when a seat is free', async () => {
    const server = await serve({ engine: new FakeEngine(), maxSessions: 1 })
    const seated = await join(server, { pictures: images() })
    const places: number[] = []
    const waiting = join(server, {
      pictures: images(),
      onEvent: (event) => event.type === 'waiting' && places.push(event.position),
    })
    await expect.poll(() => places).toEqual([1])
    expect([server.sessions.size, server.sessions.waiting]).toEqual([1, 1])
    await seated.close()
    await waiting
    expect([server.sessions.size, server.sessions.waiting]).toEqual([1, 0])
  })

  it('who waits and leaves is forgotten', async () => {
    const server = await serve({ engine: new FakeEngine(), maxSessions: 1 })
    await join(server, { pictures: images() })
    const { sockets, WebSocket } = cuttable()
    const waiting = join(server, { pictures: images(), WebSocket })
    waiting.catch(() => {})
    await expect.poll(() => server.sessions.waiting).toBe(1)
    sockets[0]!.terminate()
    await expect(waiting).rejects.toMatchObject({ code: 'CONNECTION_LOST' })
    await expect.poll(() => server.sessions.waiting).toBe(0)
  })
})

test('a hundred clients come and go, one in five without a word, and nothing is left', async () => {
  const engine = new FakeEngine()
  const server = await serve({ engine, maxSessions: 8 })
  const visit = async (i: number) => {
    const { sockets, WebSocket } = cuttable()
    const pictures = {
      ...images(),
      decode: async () => ({ frame: { width: 2, height: 1, data: new Uint8ClampedArray(8) } }),
    }
    const world = await RemoteWorld.open({ url: urlOf(server), WebSocket, pictures, random: () => 0 })
    await world.reset({ seed: i })
    await world.step(spaceOf(world.info.controls).idle)
    if (i % 5 === 0) sockets[0]!.terminate()
    await world.close()
    // Who went without a word may come back for a minute. That minute is over.
    server.sessions.sweep(performance.now() + 61_000)
  }
  const visitors = Array.from({ length: 5 }, async (_, line) => {
    for (let i = line; i < 100; i += 5) await visit(i)
  })
  await Promise.all(visitors)
  await expect.poll(() => server.openConnections).toBe(0)
  server.sessions.sweep(performance.now() + 61_000)
  expect([server.sessions.size, server.sessions.waiting, engine.dreams.size]).toEqual([0, 0, 0])
}, 180_000)

describe('whoever misbehaves', () => {
  /** What a raw client is told, as its close code and reason. */
  async function told(server: DreamServer, say: (socket: WebSocket) => void): Promise<string> {
    const socket = new WebSocket(urlOf(server))
    socket.on('error', () => {})
    socket.on('open', () => say(socket))
    return new Promise((resolve) =>
      socket.on('close', (code, reason) => resolve(`${code} ${reason.toString()}`)),
    )
  }

  const hello = encodeClient({ type: 'hello', body: { formats: ['webp'], mode: 'lockstep' } })

  it.each<[string, (socket: WebSocket) => void, string]>([
    ['text', (socket) => socket.send('hello'), '1003 TEXT_MESSAGE'],
    ['bytes of no meaning', (socket) => socket.send(hex('ff 00')), '4400 WIRE_MALFORMED'],
    ['another version', (socket) => socket.send(hex('01 63 80')), '4426 WIRE_VERSION'],
    ['no hello first', (socket) => socket.send(hex('08 01 00 00 00')), '4412 UNEXPECTED_MESSAGE'],
    ['two hellos', (socket) => [0, 1].map(() => socket.send(hello)), '4412 UNEXPECTED_MESSAGE'],
    ['an unknown session', (socket) => socket.send(resuming('guess')), '4404 SESSION_GONE'],
    [
      'far too many messages',
      (socket) => {
        socket.send(hello)
        for (let i = 0; i < 500; i++) socket.send(hex('08 01 00 00 00'))
      },
      '4429 TOO_MANY_MESSAGES',
    ],
    ['more than any message may have', (socket) => socket.send(new Uint8Array(2 ** 20 + 1)), '1009 '],
  ])('%s is told so by a stable code', async (_what, say, expected) => {
    const server = await serve({ engine: new FakeEngine() })
    expect(await told(server, say)).toBe(expected)
    await expect.poll(() => server.openConnections).toBe(0)
  })

  function resuming(resume: string): Uint8Array {
    return encodeClient({ type: 'hello', body: { formats: ['webp'], mode: 'lockstep', resume } })
  }

  it('a wrong token does not get in, the right one does', async () => {
    const token = 'a-token-of-some-length'
    const server = await serve({ engine: new FakeEngine(), token })
    for (const wrong of [undefined, 'guess', `${token}x`]) {
      const refused = join(server, { pictures: images(), token: wrong })
      await expect(refused).rejects.toMatchObject({ code: 'UNAUTHORIZED' })
    }
    await join(server, { pictures: images(), token })
    expect(server.sessions.size).toBe(1)
  })

  it('a page of a stranger is turned away before the upgrade', async () => {
    const server = await serve({ engine: new FakeEngine() })
    const socket = new WebSocket(urlOf(server), { origin: 'https://evil.example' })
    const error = await new Promise<Error>((resolve) => socket.on('error', resolve))
    expect(error.message).toMatch(/403/)
  })

  it('who listens on every address answers to each', async () => {
    const token = 'a-token-of-some-length'
    const server = await serve({ engine: new FakeEngine(), host: '0.0.0.0', token })
    await join(server, { pictures: images(), token })
    expect(server.sessions.size).toBe(1)
  })

  it('nobody stands open to a network without a token', async () => {
    await expect(
      DreamServer.start({ engine: new FakeEngine(), host: '0.0.0.0', port: 0 }),
    ).rejects.toBeInstanceOf(BadInputError)
  })
})

describe('seen from outside', () => {
  it('it says whether it lives, whether it is ready, and what it counts', async () => {
    const server = await serve({ engine: new FakeEngine() })
    const world = await join(server, { pictures: images(), mode: 'realtime' })
    void world
    const get = (path: string) => fetch(`http://127.0.0.1:${server.port}${path}`)
    expect((await get('/healthz')).status).toBe(200)
    expect((await get('/readyz')).status).toBe(200)
    expect((await get('/other')).status).toBe(404)
    const metrics = await (await get('/metrics')).text()
    expect(metrics).toContain('oneiro_sessions{state="active"} 1')
    // Of the process, its event loop and its memory.
    for (const name of [
      'process_cpu_seconds_total',
      'process_resident_memory_bytes',
      'process_start_time_seconds',
      'nodejs_eventloop_lag_p99_seconds',
      'nodejs_heap_size_used_bytes',
      'oneiro_strangers',
      'oneiro_log_lines_lost',
    ]) {
      expect(metrics).toMatch(new RegExp(`^${name}[ {]`, 'm'))
    }
  })

  it('says neither words nor tokens in its log', async () => {
    const lines: string[] = []
    const write = (fields: object, text: string) => void lines.push(`${JSON.stringify(fields)} ${text}`)
    const token = 'a-token-of-some-length'
    const server = await serve({ token, log: { info: write, warn: write, error: write } })
    const world = await join(server, { token })
    await world.reset({ seed: 1, prompt: 'a snowy night drive' })
    await expect(world.setPrompt('words nobody knows')).rejects.toBeInstanceOf(BadInputError)
    await world.close()
    await expect.poll(() => server.openConnections).toBe(0)
    const said = lines.join('\n')
    expect(said).toContain('a client joined')
    for (const secret of ['snowy', 'nobody knows', token]) expect(said).not.toContain(secret)
  })
})
