import { describe, expect, it } from 'vitest'
import { FakeTime, settle } from '../../engine/testing/fake-time'
import { FAKE_CONTROLS } from '../../engine/testing/fake-world'
import type { ClientMessage, FrameMessage, Hello, ServerMessage, Welcome } from '../protocol/messages'
import { decodeClient, encodeServer } from '../protocol/wire'
import type { SocketConstructor } from './link'
import { Multipath } from './multipath'

const WELCOME: Welcome = {
  world: {
    id: 'w',
    backend: 'b',
    modelHash: 'm',
    width: 2,
    height: 1,
    ticksPerSecond: 20,
    controls: FAKE_CONTROLS,
    prompt: true,
    telemetry: [],
    reward: false,
    done: false,
  },
  latent: { tokens: 1, channels: 1 },
  format: 'webp',
  resumed: false,
}
const frame = (sequence: number, request = 0): FrameMessage => ({
  type: 'frame',
  ...{ request, epoch: 1, sequence, tick: sequence, skipped: 0, echoMs: 0, batch: 1, format: 'webp' },
  timings: { queue: 0, student: 0, encode: 0 },
  payload: Uint8Array.of(1),
})

/** A client, and the sockets that it opens, as a server would see them. */
async function connect(welcome: Partial<Welcome> = { resume: 'r1', subflow: 'k1' }) {
  const sockets: ServerSide[] = []
  class ServerSide {
    binaryType = ''
    onopen: (() => void) | null = null
    onmessage: ((event: { data: ArrayBuffer }) => void) | null = null
    onclose: ((event: object) => void) | null = null
    onerror = null
    readonly heard: ClientMessage[] = []
    over = false
    constructor(readonly url: string) {
      sockets.push(this)
      queueMicrotask(() => this.onopen?.())
    }
    get hello(): Hello {
      const [first] = this.heard
      if (first?.type !== 'hello') throw new Error('no hello came')
      return first.body
    }
    send(data: Uint8Array): void {
      this.heard.push(decodeClient(data))
    }
    say(message: ServerMessage): void {
      if (!this.over) this.onmessage?.({ data: encodeServer(message).slice().buffer as ArrayBuffer })
    }
    close(): void {
      if (this.over) return
      this.over = true
      queueMicrotask(() => this.onclose?.({}))
    }
  }
  const time = new FakeTime()
  const seen: ServerMessage[] = []
  const link = new Multipath({
    url: 'ws://server',
    WebSocket: ServerSide as unknown as SocketConstructor,
    time,
    random: () => 0.5,
    hello: () => ({ formats: ['webp'], mode: 'realtime', token: 'secret' }),
    onWelcome: () => {},
    onMessage: (message) => seen.push(message),
    ...{ onWaiting: () => {}, onBeat: () => {}, onDown: () => {}, onGone: () => false, onFailed: () => {} },
  })
  void link.run()
  await settle()
  sockets[0]!.say({ type: 'welcome', body: { ...WELCOME, ...welcome } })
  /** Plays on, and loses the frame before `sequence` until it comes right before that. */
  const lose = async (sequence: number) => {
    await time.run(200)
    sockets[0]!.say(frame(sequence))
    await time.run(5)
    sockets[0]!.say(frame(sequence + 1))
    await settle()
  }
  const sequences = () => seen.flatMap((message) => (message.type === 'frame' ? [message.sequence] : []))
  return { time, link, sockets, seen, sequences, lose }
}

/** The same where packets got lost, with its further connections open. */
async function besides() {
  const client = await connect()
  client.sockets[0]!.say(frame(1))
  await client.lose(2)
  await client.lose(4)
  for (const socket of client.sockets.slice(1)) socket.say({ type: 'welcome', body: WELCOME })
  return client
}

describe('Multipath', () => {
  it('is one connection while frames come in time, come late one by one, or play pauses', async () => {
    const { time, sockets, link } = await connect()
    let sequence = 0
    for (const [gapMs, times] of [
      [50, 40],
      [180, 10],
      [5000, 3],
    ] as const) {
      for (let i = 0; i < times; i++) {
        await time.run(gapMs)
        sockets[0]!.say(frame(++sequence))
      }
    }
    await settle()
    expect([sockets.length, link.connections]).toEqual([1, 1])
  })

  it('opens two more with their own key where packets are lost twice', async () => {
    const { sockets, lose, link } = await connect()
    sockets[0]!.say(frame(1))
    await lose(2)
    expect(sockets).toHaveLength(1)
    await lose(4)
    expect(sockets.map(({ url }) => url)).toEqual(['ws://server', 'ws://server', 'ws://server'])
    for (const { hello } of sockets.slice(1)) {
      expect(hello).toEqual({ formats: ['webp'], mode: 'realtime', subflow: 'k1' })
    }
    expect(link.connections).toBe(1)
    for (const socket of sockets.slice(1)) socket.say({ type: 'welcome', body: WELCOME })
    expect(link.connections).toBe(3)
  })

  it('stays alone where play goes on after a pause, whose frames come at once', async () => {
    const { sockets, time } = await connect()
    sockets[0]!.say(frame(1))
    for (const sequence of [2, 4, 6]) {
      await time.run(3000)
      sockets[0]!.say(frame(sequence))
      await time.run(5)
      sockets[0]!.say(frame(sequence + 1))
    }
    await settle()
    expect(sockets).toHaveLength(1)
  })

  it('stays alone where packets are lost once in a while', async () => {
    const { sockets, lose, time } = await connect()
    sockets[0]!.say(frame(1))
    for (let sequence = 2; sequence < 80; sequence += 24) {
      await lose(sequence)
      for (let i = 2; i < 24; i++) {
        await time.run(1000)
        sockets[0]!.say(frame(sequence + i))
      }
    }
    expect(sockets).toHaveLength(1)
  })

  it('stays alone where the server knows of no subflows', async () => {
    const { sockets, lose } = await connect({ resume: 'r1' })
    for (let i = 0; i < 6; i++) await lose(2 * i + 1)
    expect(sockets).toHaveLength(1)
  })

  it('hands every frame over once, the newest by whichever way, and answers by the first only', async () => {
    const { sockets, sequences, seen } = await besides()
    const [first, second, third] = sockets
    seen.length = 0
    second!.say(frame(6))
    first!.say(frame(6))
    third!.say(frame(8))
    second!.say(frame(7)) // overtaken
    first!.say(frame(9, 3))
    third!.say(frame(10, 4)) // no server answers there
    second!.say({ type: 'result', request: 5 })
    first!.say({ type: 'result', request: 6 })
    expect(sequences()).toEqual([6, 8, 9])
    expect(seen.at(-1)).toEqual({ type: 'result', request: 6 })
  })

  it('says what the newest replaces by every way, and asks by the first', async () => {
    const { link, sockets } = await besides()
    const said = () =>
      sockets.map(({ heard }) => heard.map(({ type }) => type).filter((type) => type !== 'hello'))
    link.send({ type: 'action', code: 8, sequence: 1, sentAtMs: 1 })
    link.send({ type: 'ack', sequence: 5 })
    link.send({ type: 'snapshot', request: 1 })
    const beats = (types: string[]) => types.filter((type) => type !== 'heartbeat')
    expect(said().map(beats)).toEqual([
      ['action', 'ack', 'snapshot'],
      ['action', 'ack'],
      ['action', 'ack'],
    ])
  })

  it('plays on where a further connection ends, and opens it again at the next loss', async () => {
    const { sockets, link, time, lose } = await besides()
    sockets[1]!.say({ type: 'error', request: 0, body: { code: 'SESSION_GONE', message: 'gone' } })
    sockets[1]!.close()
    await settle()
    expect(link.connections).toBe(2)
    await time.run(50)
    sockets[0]!.say(frame(8))
    await lose(9)
    expect(sockets).toHaveLength(4)
    expect(sockets[3]!.hello.subflow).toBe('k1')
  })

  it('begins anew with the key of the next welcome after a lost connection', async () => {
    const { sockets, time, sequences } = await besides()
    sockets[0]!.close()
    await time.run(2000)
    expect(sockets.slice(0, 3).every(({ over }) => over)).toBe(true)
    const again = sockets[3]!
    expect(again.hello.resume).toBe('r1')
    again.say({ type: 'welcome', body: { ...WELCOME, resume: 'r2', subflow: 'k2', resumed: true } })
    await settle()
    expect(sockets.slice(4).map(({ hello }) => hello.subflow)).toEqual(['k2', 'k2'])
    again.say(frame(1))
    expect(sequences().at(-1)).toBe(1)
  })

  it('takes all its connections along when it closes', async () => {
    const { sockets, link } = await besides()
    link.close()
    await settle()
    expect(sockets.map(({ over, heard }) => [over, heard.at(-1)!.type])).toEqual([
      [true, 'bye'],
      [true, 'bye'],
      [true, 'bye'],
    ])
  })
})
