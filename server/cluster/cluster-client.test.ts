/** What clients see of several workers, over real websockets: they go where they are sent, and take the right keys along. */
import { afterEach, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { IDLE } from '../../src/engine/testing/fake-world'
import type { SocketConstructor } from '../../src/net/client/link'
import { imagePictures } from '../../src/net/client/pictures'
import type { RemoteEvent, RemoteWorldOptions } from '../../src/net/client/remote-options'
import { RemoteWorld } from '../../src/net/client/remote-world'
import { Watcher } from '../../src/net/client/watcher'
import type { Hello } from '../../src/net/protocol/messages'
import { decodeClient } from '../../src/net/protocol/wire'
import { DreamServer, type ServeOptions } from '../server'
import { FakeEngine } from '../testing/servers'
import type { Worker } from './directory'
import { MemoryDirectory, MemoryStore } from './memory-directory'

const closing: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const one of closing.splice(0).reverse()) await one.close()
})

const urlOf = ({ port }: DreamServer) => `ws://127.0.0.1:${port}`
const pictures = () => imagePictures(async () => ({ width: 2, height: 1, data: new Uint8ClampedArray(8) }))

async function worker(store: MemoryStore, options: Partial<ServeOptions> = {}): Promise<DreamServer> {
  const server = await DreamServer.start({
    ...{ engine: new FakeEngine(), host: '127.0.0.1', port: 0 },
    directory: (me: Worker) => new MemoryDirectory(me, store),
    ...options,
  })
  closing.push(server)
  return server
}

/** All workers know of each other. */
async function acquainted(...workers: DreamServer[]): Promise<void> {
  await expect
    .poll(() => workers.map(({ sessions }) => sessions.group.urls.length), { timeout: 20_000 })
    .toEqual(workers.map(() => workers.length - 1))
}

/** Every hello that a client says, and to whom. */
function overheard() {
  const hellos: { url: string; hello: Hello }[] = []
  class Overheard extends WebSocket {
    override send(data: Uint8Array): void {
      const message = decodeClient(data)
      if (message.type === 'hello') hellos.push({ url: this.url.replace(/\/$/, ''), hello: message.body })
      super.send(data)
    }
  }
  return { hellos, WebSocket: Overheard as unknown as SocketConstructor }
}

async function join(options: Partial<RemoteWorldOptions> & { url: string }): Promise<RemoteWorld> {
  const world = await RemoteWorld.open({
    WebSocket: WebSocket as unknown as SocketConstructor,
    pictures: pictures(),
    random: () => 0,
    ...options,
  })
  closing.push(world)
  return world
}

const TOKEN = 'the-token-of-the-first'

describe('several workers', () => {
  it('a client of a full one is seated at another, which is not told the token of the first', async () => {
    const store = new MemoryStore()
    const a = await worker(store, { maxSessions: 1, token: TOKEN })
    const b = await worker(store, { token: 'another-token-altogether' })
    await acquainted(a, b)
    await join({ url: urlOf(a), token: TOKEN })
    const { hellos, WebSocket } = overheard()
    const world = await join({ url: urlOf(a), token: TOKEN, WebSocket })
    expect((await world.reset({ seed: 1 })).index).toBe(0)
    expect([a.sessions.size, b.sessions.size]).toEqual([1, 1])
    expect(hellos.map(({ url, hello }) => [url, hello.token, hello.seat !== undefined])).toEqual([
      [urlOf(a), TOKEN, false],
      [urlOf(b), undefined, true],
    ])
  })

  it('of one that drains, clients go on at another where they were, in the same epoch, without a token', async () => {
    const store = new MemoryStore()
    const a = await worker(store, { token: TOKEN })
    const b = await worker(store, { token: TOKEN })
    await acquainted(a, b)
    const { hellos, WebSocket } = overheard()
    const events: RemoteEvent['type'][] = []
    const world = await join({
      ...{ url: urlOf(a), token: TOKEN, WebSocket },
      onEvent: ({ type }) => events.push(type),
    })
    await world.reset({ seed: 1 })
    const { epoch } = await world.reset({ seed: 2 })
    await world.step(IDLE)
    await a.close()
    const steps = await Promise.all([world.step(IDLE), world.step(IDLE)])
    expect(steps.map(({ index }) => index)).toEqual([2, 3])
    expect(steps.map((tick) => tick.epoch)).toEqual([epoch, epoch])
    expect((await world.reset({ seed: 3 })).epoch).toBe(epoch + 1)
    expect(events).toEqual(['disconnected', 'reconnected'])
    expect(hellos.at(-1)).toMatchObject({ url: urlOf(b), hello: { resume: expect.any(String) } })
    expect(hellos.filter(({ url }) => url === urlOf(b)).map(({ hello }) => hello.token)).toEqual([undefined])
  })

  it('whoever watches is sent to where the drive is, and goes with it', async () => {
    const store = new MemoryStore()
    const a = await worker(store)
    const b = await worker(store)
    await acquainted(a, b)
    const world = await join({ url: urlOf(a) })
    await world.reset({ seed: 1 })
    const watcher = await Watcher.open({
      ...{ url: urlOf(b), pictures: pictures(), watch: world.watch!, random: () => 0 },
      WebSocket: WebSocket as unknown as SocketConstructor,
    })
    closing.push(watcher)
    expect((await watcher.next()).index).toBe(0)
    await a.close()
    await world.step(IDLE)
    await expect.poll(() => b.sessions.watching, { timeout: 20_000 }).toBe(1)
    await world.step(IDLE)
    expect((await watcher.next()).epoch).toBe(1)
  })

  it('a seat that is kept over HTTP may be on another worker, and says so', async () => {
    const store = new MemoryStore()
    const a = await worker(store, { maxSessions: 1 })
    const b = await worker(store)
    await acquainted(a, b)
    await join({ url: urlOf(a) })
    const answer = await fetch(`http://127.0.0.1:${a.port}/seats`, { method: 'POST' })
    const { seat, url } = (await answer.json()) as { seat: string; url: string }
    expect([answer.status, url]).toEqual([201, urlOf(b)])
    await join({ url, seat })
    expect(b.sessions.size).toBe(1)
  })
})
