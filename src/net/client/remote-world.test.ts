/** A remote world against a server that a test plays, message by message. */
import { describe, expect, it } from 'vitest'
import { FakeTime, settle } from '../../engine/testing/fake-time'
import { FAKE_CONTROLS, IDLE } from '../../engine/testing/fake-world'
import type { ClientMessage, FrameMessage, Mode, ServerMessage } from '../protocol/messages'
import { decodeClient, encodeServer } from '../protocol/wire'
import type { SocketConstructor, SocketLike } from './link'
import { imagePictures } from './pictures'
import { RemoteWorld } from './remote-world'

const WORLD = {
  id: 'w',
  backend: 'b',
  modelHash: 'h',
  width: 2,
  height: 1,
  ticksPerSecond: 20,
  controls: FAKE_CONTROLS,
  prompt: true,
  telemetry: [{ name: 'speed', unit: 'm/s' }],
  reward: false,
  done: false,
}

/** Answers as a test says; by itself it greets, and answers heartbeats. */
class Server implements SocketLike {
  static newest: Server
  binaryType = ''
  onopen: ((event: never) => void) | null = null
  onmessage: ((event: never) => void) | null = null
  onclose: ((event: never) => void) | null = null
  onerror: ((event: never) => void) | null = null
  readonly heard: ClientMessage[] = []
  private sequence = 0

  constructor() {
    Server.newest = this
    queueMicrotask(() => this.onopen?.(undefined as never))
  }

  send(data: Uint8Array<ArrayBuffer>): void {
    const message = decodeClient(data)
    if (message.type === 'heartbeat') this.say({ type: 'pong', echoMs: message.sentAtMs })
    else if (message.type === 'hello') {
      const latent = { tokens: 1, channels: 1 }
      this.say({ type: 'welcome', body: { world: WORLD, latent, format: 'webp', resumed: false } })
    } else if (message.type !== 'ack') this.heard.push(message)
  }

  close(): void {}

  say(message: ServerMessage): void {
    const data = encodeServer(message).slice().buffer
    queueMicrotask(() => this.onmessage?.({ data } as never))
  }

  frame(tick: number, request = 0): void {
    const frame: FrameMessage = {
      ...{ type: 'frame', request, epoch: 1, tick, sequence: ++this.sequence, skipped: 0, echoMs: 0 },
      ...{ timings: { queue: 0, student: 0, encode: 0 }, batch: 1, format: 'webp' },
      payload: Uint8Array.of(tick),
    }
    this.say(frame)
  }

  /** The newest request of a kind. */
  asked<Type extends ClientMessage['type']>(type: Type) {
    return this.heard.findLast((message) => message.type === type) as
      | Extract<ClientMessage, { type: Type }>
      | undefined
  }
}

async function begun(mode: Mode) {
  const time = new FakeTime()
  const world = await RemoteWorld.open({
    ...{ url: 'ws://there', WebSocket: Server as unknown as SocketConstructor, mode, time },
    ...{ random: () => 0 },
    pictures: imagePictures(async (bytes) => ({
      ...{ width: 2, height: 1, data: Uint8ClampedArray.from([bytes[0]!, 0, 0, 0, 0, 0, 0, 0]) },
    })),
  })
  const server = Server.newest
  const reset = world.reset({ seed: 1 })
  await settle()
  server.frame(0, server.asked('reset')!.request)
  await reset
  return { time, world, server }
}

const refused = (request: number): ServerMessage => ({
  ...{ type: 'error', request, body: { code: 'BUSY', message: 'Too many at once.' } },
})

it('a world of images promises no instruments, whatever its server has', async () => {
  const { world } = await begun('lockstep')
  expect(world.info.telemetry).toEqual([])
})

describe('a mode that the server refuses', () => {
  it.each([
    ['lockstep', 'realtime'],
    ['realtime', 'lockstep'],
  ] as const)('leaves %s as it was, and the caller is told', async (before, after) => {
    const { world, server } = await begun(before)
    const changed = world.setMode(after)
    await settle()
    expect(world.mode).toBe(after)
    server.say(refused(server.asked('mode')!.request))
    await expect(changed).rejects.toMatchObject({ code: 'BUSY' })
    expect(world.mode).toBe(before)
  })

  it('leaves steps what they were before', async () => {
    const { world, server } = await begun('lockstep')
    const changed = world.setMode('realtime')
    await settle()
    server.say(refused(server.asked('mode')!.request))
    await expect(changed).rejects.toThrow('Too many at once.')
    const step = world.step(IDLE)
    await settle()
    server.frame(1, server.asked('step')!.request)
    expect((await step).index).toBe(1)
  })
})

describe('a loop in real time', () => {
  it('is not paused while it waits for a frame, however long that takes', async () => {
    const { time, world, server } = await begun('realtime')
    const step = world.step(IDLE)
    await time.run(4_000)
    expect(server.asked('mode')).toBeUndefined()
    server.frame(1)
    expect((await step).index).toBe(1)
  })

  it('is paused half a second after it stepped last, once, and goes on with the next step', async () => {
    const { time, world, server } = await begun('realtime')
    const first = world.step(IDLE)
    await settle()
    server.frame(1)
    await first
    await time.run(400)
    expect(server.asked('mode')).toBeUndefined()
    await time.run(3_000)
    expect(server.heard.filter(({ type }) => type === 'mode')).toMatchObject([{ mode: 'lockstep' }])
    server.say({ type: 'result', request: server.asked('mode')!.request })
    const next = world.step(IDLE)
    await settle()
    expect(server.asked('mode')).toMatchObject({ mode: 'realtime' })
    server.frame(2)
    expect((await next).index).toBe(2)
    expect(world.mode).toBe('realtime')
  })

  it('before its first drive is not paused', async () => {
    const time = new FakeTime()
    await RemoteWorld.open({
      ...{ url: 'ws://there', WebSocket: Server as unknown as SocketConstructor, mode: 'realtime', time },
      ...{
        random: () => 0,
        pictures: imagePictures(async () => ({ width: 1, height: 1, data: new Uint8ClampedArray(4) })),
      },
    })
    await time.run(3_000)
    expect(Server.newest.heard).toEqual([])
  })
})

it('images without a browser need a decoder, and that is said', () => {
  expect(() => imagePictures()).toThrow(/Pass a decoder of your own/)
})
