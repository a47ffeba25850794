/** How long a client is away when its worker dies, on a clock that no busy machine slows. */
import { afterEach, describe, expect, it } from 'vitest'
import { FakeTime } from '../../src/engine/testing/fake-time'
import { IDLE } from '../../src/engine/testing/fake-world'
import type { SocketConstructor, SocketLike } from '../../src/net/client/link'
import { imagePictures } from '../../src/net/client/pictures'
import type { RemoteEvent } from '../../src/net/client/remote-options'
import { RemoteWorld } from '../../src/net/client/remote-world'
import { DreamServer } from '../server'
import { closeServer, FakeEngine, FakeSocket } from '../testing/servers'
import type { Worker } from './directory'
import { MemoryDirectory, MemoryStore } from './memory-directory'

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

/** Says nothing to the others any more, but only while it is dead. */
class Mortal extends MemoryDirectory {
  dead = false
  override async heartbeat(beat: { free: number }) {
    return this.dead ? 0 : super.heartbeat(beat)
  }
  override async keep(entry: Parameters<MemoryDirectory['keep']>[0]) {
    return this.dead ? 'kept' : super.keep(entry)
  }
}

/** Servers by their addresses; one that is not there refuses at once, as a machine does whose process was killed. */
class Network {
  readonly servers = new Map<string, DreamServer>()
  readonly tries: string[] = []
  /** Those whose process is stopped: they take connections and data, and answer nothing. */
  readonly frozen = new Set<string>()
  private readonly open = new Map<FakeSocket, string>()

  get WebSocket(): SocketConstructor {
    const network = this
    return class implements SocketLike {
      binaryType = ''
      onopen: SocketLike['onopen'] = null
      onmessage: SocketLike['onmessage'] = null
      onclose: SocketLike['onclose'] = null
      onerror: SocketLike['onerror'] = null
      private readonly there: FakeSocket | null

      constructor(private readonly url: string) {
        network.tries.push(url)
        const server = network.frozen.has(url) ? undefined : network.servers.get(url)
        this.there = server ? new FakeSocket(server) : null
        queueMicrotask(() => this.begin(url))
      }
      send(data: Uint8Array<ArrayBuffer>): void {
        if (!network.frozen.has(this.url)) this.there?.sayBytes(data)
      }
      close(): void {
        this.there?.terminate()
      }
      private begin(url: string): void {
        const { there } = this
        if (network.frozen.has(url)) return
        if (!there) {
          this.onclose?.({ reason: 'refused' } as never)
          return
        }
        network.open.set(there, url)
        there.onSent = (bytes) => {
          if (!network.frozen.has(url)) this.onmessage?.({ data: Uint8Array.from(bytes).buffer } as never)
        }
        there.on('close', () => this.onclose?.({ reason: there.closed ?? '' } as never))
        this.onopen?.({} as never)
      }
    }
  }

  kill(url: string): void {
    this.servers.delete(url)
    for (const [socket, at] of this.open) if (at === url) socket.terminate()
  }
}

async function group(names: readonly string[]) {
  const time = new FakeTime()
  const store = new MemoryStore(time)
  const network = new Network()
  const directories = new Map<string, Mortal>()
  const start = async (name: string) => {
    const url = `ws://${name}`
    const server = await DreamServer.start({
      ...{ engine: new FakeEngine(), host: '127.0.0.1', port: 0, time, publicUrl: url },
      directory: (me: Worker) => {
        const directory = new Mortal(me, store)
        directories.set(url, directory)
        return directory
      },
    })
    network.servers.set(url, server)
    closing.push(() => closeServer(server, time))
  }
  for (const name of names) await start(name)
  /** Nothing is written down any more of what it has. */
  const mute = (url: string) => {
    directories.get(url)!.dead = true
  }
  const kill = (url: string) => {
    mute(url)
    network.kill(url)
  }
  const freeze = (url: string) => {
    mute(url)
    network.frozen.add(url)
  }
  return { time, network, mute, kill, freeze, start }
}

/** It drains, and is gone. */
async function closeAt(network: Network, url: string, time: FakeTime): Promise<void> {
  const closed = network.servers.get(url)!.close()
  network.servers.delete(url)
  await time.run(3_000)
  await closed
}

async function player(url: string, time: FakeTime, network: Network, random: () => number) {
  const events: RemoteEvent['type'][] = []
  let ticks = 0
  const opening = RemoteWorld.open({
    ...{ url, time, random, WebSocket: network.WebSocket, mode: 'realtime' },
    pictures: imagePictures(async () => ({ width: 2, height: 1, data: new Uint8ClampedArray(8) })),
    onEvent: ({ type }) => events.push(type),
  })
  await time.run(10)
  const world = await opening
  const begun = world.reset({ seed: 1 })
  await time.run(10)
  await begun
  const play = async () => {
    for (;;) {
      await world.step(IDLE)
      ticks++
    }
  }
  play().catch(() => {})
  closing.push(async () => {
    const closed = world.close()
    await time.run(100)
    await closed
  })
  return { world, events, ticks: () => ticks }
}

describe('when its worker dies, a client plays again', () => {
  const jitters = [0, 0.3, 0.6, 0.99]
  it.each(jitters.flatMap((jitter) => [0, 130, 270, 390].map((phase) => [jitter, phase] as const)))(
    'within 3 s, with pauses at %f of their range, %i ms later',
    async (jitter, phase) => {
      const { time, network, kill } = await group(['a', 'b'])
      const { events, ticks } = await player('ws://a', time, network, () => jitter)
      await time.run(2_000 + phase)
      const before = ticks()
      expect(before).toBeGreaterThan(30)
      kill('ws://a')
      let awayMs = 0
      // The last frames of the dead one are still shown.
      while (ticks() < before + 3 && awayMs < 20_000) {
        await time.run(50)
        awayMs += 50
      }
      expect(events).toEqual(['disconnected', 'reconnected'])
      expect(awayMs).toBeLessThanOrEqual(3_000)
      expect(network.tries.length).toBeLessThan(12)
    },
  )

  it.each([0, 0.5, 0.99].flatMap((jitter) => [0, 130, 270, 390].map((phase) => [jitter, phase] as const)))(
    'also where that is frozen and not dead: within 3 s, with pauses at %f of their range, %i ms later',
    async (jitter, phase) => {
      const { time, network, freeze } = await group(['a', 'b'])
      const { events, ticks } = await player('ws://a', time, network, () => jitter)
      await time.run(2_000 + phase)
      const before = ticks()
      freeze('ws://a')
      let awayMs = 0
      while (ticks() < before + 3 && awayMs < 20_000) {
        await time.run(50)
        awayMs += 50
      }
      expect(events).toEqual(['disconnected', 'reconnected'])
      expect(awayMs).toBeLessThanOrEqual(3_000)
      expect(network.tries.slice(0, 2)).toEqual(['ws://a', 'ws://b'])
    },
  )

  it('but one that is alone is waited for as before', async () => {
    const { time, network, freeze } = await group(['a'])
    const { events } = await player('ws://a', time, network, () => 0)
    await time.run(2_000)
    freeze('ws://a')
    await time.run(4_000)
    network.frozen.clear()
    await time.run(2_000)
    expect(events).toEqual([])
  })

  it('also where the worker it went to dies before the first is back, and no one else was there to tell', async () => {
    const { time, network, kill, start } = await group(['a', 'b'])
    const players = []
    for (const url of ['ws://a', 'ws://b', 'ws://a', 'ws://b']) {
      players.push(await player(url, time, network, () => 0.5))
    }
    await time.run(2_000)
    await closeAt(network, 'ws://a', time)
    await time.run(4_000)
    expect(network.servers.get('ws://b')!.sessions.size).toBe(4)
    kill('ws://b')
    await time.run(3_000)
    await start('a')
    const before = players.map(({ ticks }) => ticks())
    await time.run(12_000)
    for (const [i, { events, ticks }] of players.entries()) {
      expect(events.at(-1)).toBe('reconnected')
      expect(ticks()).toBeGreaterThan(before[i]! + 20)
    }
    expect(network.servers.get('ws://a')!.sessions.size).toBe(4)
  })

  it('also among eight, and where the next one dies too', async () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
    const { time, network, kill } = await group(names)
    const { events, ticks } = await player('ws://a', time, network, () => 0.5)
    await time.run(2_000)
    kill('ws://a')
    await time.run(4_000)
    expect(events).toEqual(['disconnected', 'reconnected'])
    const second = [...network.servers].find(([, { sessions }]) => sessions.size > 0)!
    kill(second[0])
    const before = ticks()
    await time.run(4_000)
    expect(events).toEqual(['disconnected', 'reconnected', 'disconnected', 'reconnected'])
    expect(ticks()).toBeGreaterThan(before + 10)
  })

  it('that began anew a moment before goes on from before, in the epoch that it knows', async () => {
    const { time, network, mute, kill } = await group(['a', 'b'])
    const { world, events, ticks } = await player('ws://a', time, network, () => 0)
    await time.run(2_000)
    mute('ws://a')
    const begun = world.reset({ seed: 2 })
    await time.run(10)
    expect((await begun).epoch).toBe(2)
    kill('ws://a')
    const before = ticks()
    await time.run(4_000)
    expect(events).toEqual(['disconnected', 'reconnected'])
    expect(ticks()).toBeGreaterThan(before + 10)
    const again = world.reset({ seed: 3 })
    await time.run(10)
    expect((await again).epoch).toBe(3)
  })

  it('but is told so, where nothing was kept of it yet', async () => {
    const { time, network, mute, kill } = await group(['a', 'b'])
    await time.run(500)
    mute('ws://a')
    const { events } = await player('ws://a', time, network, () => 0)
    kill('ws://a')
    await time.run(4_000)
    expect(events).toEqual(['disconnected', 'failed'])
  })
})
