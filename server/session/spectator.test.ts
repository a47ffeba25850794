import * as ort from 'onnxruntime-node'
import { afterEach, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { FakeTime, settle } from '../../src/engine/testing/fake-time'
import { NO_CACHE } from '../../src/model/assets/assets'
import { LatentDecoder } from '../../src/model/dream/latent-decoder'
import { nodeSession } from '../../src/model/node'
import { ACTIONS, folderInMemory, tinyFiles } from '../../src/model/testing'
import type { SocketConstructor } from '../../src/net/client/link'
import { latentPictures } from '../../src/net/client/pictures'
import { RemoteWorld } from '../../src/net/client/remote-world'
import { Watcher } from '../../src/net/client/watcher'
import type { ClientMessage, Hello } from '../../src/net/protocol/messages'
import { DreamServer, type ServeOptions } from '../server'
import { closeServer, FakeEngine, FakeSocket, helloOf, tinyEngine } from '../testing/servers'
import { MOST_UNACKNOWLEDGED } from './frames'

const TOKEN = 'a-token-of-some-length'
const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

/** A server with one player, and how to watch it. */
async function played(mode: Hello['mode'], options: Partial<ServeOptions> = {}) {
  const time = new FakeTime()
  const engine = new FakeEngine()
  const server = await DreamServer.start({
    engine,
    host: '127.0.0.1',
    port: 0,
    time,
    token: TOKEN,
    ...options,
  })
  closing.push(() => closeServer(server, time))
  const player = new FakeSocket(server)
  player.say(helloOf({ mode, token: TOKEN }))
  const welcome = player.messages[0]!
  if (welcome.type !== 'welcome') throw new Error(`a welcome was expected, but ${welcome.type} came`)
  const key = welcome.body.watch!
  const begin = async (request = 1) => {
    player.say({ type: 'reset', request, body: { seed: 1 } })
    await settle()
  }
  const watch = async (hello: Partial<Hello> = {}) => {
    const socket = new FakeSocket(server)
    socket.say(helloOf({ watch: key, ...hello }))
    await settle()
    return socket
  }
  return { time, server, engine, player, begin, watch, key }
}

describe('a spectator', () => {
  it('sees what the player sees, from where the drive is, in a format of its own', async () => {
    const { player, begin, watch, engine } = await played('lockstep')
    await begin()
    const step = async (request: number) => {
      player.say({ type: 'step', request, code: 8, sentAtMs: 5 })
      await settle()
    }
    await step(2)
    const same = await watch()
    const other = await watch({ formats: ['jpeg'] })
    await step(3)
    for (const [socket, format] of [
      [same, 'webp'],
      [other, 'jpeg'],
    ] as const) {
      expect(socket.messages[0]).toMatchObject({ type: 'welcome', body: { format, resumed: false } })
      const { resume, watch: key } = (socket.messages[0] as { body: { resume?: string; watch?: string } })
        .body
      expect([resume, key]).toEqual([undefined, undefined])
      expect(
        socket.frames.map(({ tick, sequence, request, echoMs }) => [tick, sequence, request, echoMs]),
      ).toEqual([
        [1, 1, 0, 0],
        [2, 2, 0, 0],
      ])
      expect(socket.frames.every((frame) => frame.format === format)).toBe(true)
    }
    // Each format is made once, and only while it is watched.
    expect(engine.steps.map((jobs) => jobs[0]!.formats)).toEqual([['webp'], ['webp', 'jpeg']])
    expect(other.frames[1]!.payload).toEqual(player.frames.at(-1)!.payload)
  })

  it('is shown where a drive begins anew', async () => {
    const { begin, watch } = await played('lockstep')
    const socket = await watch()
    expect(socket.frames).toEqual([])
    await begin(1)
    await begin(2)
    expect(socket.frames.map(({ epoch, tick }) => [epoch, tick])).toEqual([
      [1, 0],
      [2, 0],
    ])
  })

  it('of a player who begins anew all the time is shown one picture at a time, the newest, made once a format', async () => {
    const { begin, watch, engine } = await played('lockstep')
    await begin(1)
    const many: FakeSocket[] = []
    for (let i = 0; i < 16; i++) many.push(await watch({ formats: [i % 2 ? 'jpeg' : 'webp'] }))
    const { show } = engine
    const shows: { formats: readonly string[]; go: () => void }[] = []
    let under = 0
    let most = 0
    engine.show = async (session, formats) => {
      most = Math.max(most, ++under)
      await new Promise<void>((go) => shows.push({ formats, go }))
      under--
      return show.call(engine, session, formats)
    }
    for (let request = 2; request < 12; request++) await begin(request)
    while (shows.some(({ go }) => go)) {
      const { go } = shows.pop()!
      go()
      await settle()
      if (shows.length === 0) break
    }
    expect(most).toBe(1)
    const epochs = many.map(({ frames }) => frames.map(({ epoch }) => epoch))
    // What the drive was like when they came; and when all was over. What lay between is not made.
    expect(new Set(epochs.map((all) => all.at(-1)))).toEqual(new Set([11]))
    expect(Math.max(...epochs.map((all) => all.length))).toBeLessThanOrEqual(3)
  })

  it.each<ClientMessage>([
    { type: 'action', code: 8, sequence: 9, sentAtMs: 0 },
    { type: 'step', request: 2, code: 4, sentAtMs: 0 },
    { type: 'reset', request: 2, body: { seed: 2 } },
    { type: 'prompt', request: 2, body: { text: 'snow' } },
    { type: 'snapshot', request: 2 },
    { type: 'mode', request: 2, mode: 'lockstep' },
  ])('cannot act: $type ends its connection, and the drive goes on', async (message) => {
    const { time, player, engine, begin, watch, server } = await played('realtime')
    await begin()
    const socket = await watch()
    socket.say({ type: 'heartbeat', sentAtMs: 7 })
    expect(socket.messages.at(-1)).toEqual({ type: 'pong', echoMs: 7 })
    socket.say(message)
    expect(socket.closed).toBe('4412 UNEXPECTED_MESSAGE')
    await time.run(200)
    expect([player.closed, server.sessions.size, server.sessions.watching]).toEqual([null, 1, 0])
    expect(
      engine.steps.flat().every(({ action }) => Object.values(action).every((value) => value === 0)),
    ).toBe(true)
    expect(engine.prompts).toEqual([])
  })

  it('that does not read has three frames on their way, and holds up nobody', async () => {
    const { time, player, begin, watch } = await played('realtime')
    await begin()
    // In the player's own format, which is made in any case.
    const socket = await watch()
    for (let i = 0; i < 40; i++) {
      await time.run(50)
      player.say({ type: 'ack', sequence: player.frames.at(-1)!.sequence })
    }
    expect(socket.frames).toHaveLength(MOST_UNACKNOWLEDGED)
    expect(player.frames.length).toBeGreaterThan(40)
    socket.say({ type: 'ack', sequence: 3 })
    await time.run(50)
    expect(socket.frames.at(-1)!.skipped).toBeGreaterThan(35)
  })

  it('that reads gets the frames that a player who does not read is spared', async () => {
    const { time, player, begin, watch } = await played('realtime')
    await begin()
    const socket = await watch()
    for (let i = 0; i < 20; i++) {
      await time.run(50)
      socket.say({ type: 'ack', sequence: socket.frames.at(-1)!.sequence })
    }
    expect(player.frames).toHaveLength(MOST_UNACKNOWLEDGED)
    expect(socket.frames.length).toBeGreaterThanOrEqual(20)
  })

  it('takes no seat, and there is room for so many', async () => {
    const { server, watch } = await played('lockstep', { maxSessions: 1, maxSpectators: 2 })
    const [first] = [await watch(), await watch()]
    expect((await watch()).closed).toBe('4503 SERVER_FULL')
    expect([server.sessions.size, server.sessions.watching]).toEqual([1, 2])
    first!.terminate()
    await settle()
    expect((await watch()).closed).toBeNull()
  })

  it('is told when the drive is over', async () => {
    const { player, begin, watch, server } = await played('lockstep')
    await begin()
    const socket = await watch()
    player.say({ type: 'bye' })
    await settle()
    expect([socket.closed, server.sessions.watching]).toEqual(['4404 SESSION_GONE', 0])
  })

  it('may leave, and the player notices nothing', async () => {
    const { player, watch, server } = await played('lockstep')
    const socket = await watch()
    socket.say({ type: 'bye' })
    await settle()
    expect([socket.closed, player.closed, server.sessions.watching]).toEqual(['1000 ', null, 0])
  })

  it("comes with the player's key, or with the session's id and the token", async () => {
    const { watch } = await played('lockstep')
    expect((await watch({ watch: 's1' })).closed).toBe('4404 SESSION_GONE')
    expect((await watch({ watch: 's2', token: TOKEN })).closed).toBe('4404 SESSION_GONE')
    expect((await watch({ watch: 's1', token: TOKEN })).closed).toBeNull()
  })

  it('does not use up the way back of a player whose welcome was lost', async () => {
    const { server, player, watch } = await played('lockstep')
    const { resume } = (player.messages[0] as { body: { resume: string } }).body
    player.terminate()
    await settle()
    const lost = new FakeSocket(server)
    lost.say(helloOf({ resume }))
    const socket = await watch()
    socket.say({ type: 'heartbeat', sentAtMs: 1 })
    const again = new FakeSocket(server)
    again.say(helloOf({ resume }))
    expect(again.messages[0]).toMatchObject({ type: 'welcome', body: { resumed: true } })
  })
})

it('a Watcher shows the pictures that the player of a RemoteWorld sees', async () => {
  const server = await DreamServer.start({ host: '127.0.0.1', port: 0, engine: await tinyEngine() })
  closing.push(() => server.close())
  const decoder = { ort, source: folderInMemory(tinyFiles()), cache: NO_CACHE, session: nodeSession(1) }
  const client = async () => ({
    url: `ws://127.0.0.1:${server.port}`,
    WebSocket: WebSocket as unknown as SocketConstructor,
    pictures: latentPictures(await LatentDecoder.open(decoder)),
    random: () => 0,
  })
  const world = await RemoteWorld.open(await client())
  closing.push(() => world.close())
  await world.reset({ seed: 3 })
  const watcher = await Watcher.open({ ...(await client()), watch: world.watch! })
  closing.push(() => watcher.close())
  expect(watcher.info).toEqual(world.info)
  expect(await watcher.next()).toMatchObject({ index: 0, epoch: 1 })
  const seen = watcher.next()
  const { frame } = await world.step(ACTIONS[2]!)
  expect(await seen).toMatchObject({ index: 1, epoch: 1 })
  expect((await seen).frame!.data).toEqual(frame!.data)
  const parting = expect(watcher.next()).rejects.toMatchObject({ code: 'SESSION_GONE' })
  await world.close()
  await parting
  await expect(watcher.next()).rejects.toMatchObject({ code: 'SESSION_GONE' })
}, 600_000)
