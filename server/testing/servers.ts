/** What the server's tests share: the small fixture world, an engine of known cost, and clients that say what they like. */
import { EventEmitter } from 'node:events'
import { WebSocket } from 'ws'
import type { TimeSource } from '../../src/engine/clock'
import { NotReadyError } from '../../src/engine/errors'
import { FakeTime } from '../../src/engine/testing/fake-time'
import { FAKE_CONTROLS } from '../../src/engine/testing/fake-world'
import type { Prompt, PromptReceipt, ResetOptions, Snapshot } from '../../src/engine/world'
import { tinyBatched } from '../../src/model/testing'
import type {
  ClientMessage,
  FrameFormat,
  FrameMessage,
  Hello,
  ServerMessage,
} from '../../src/net/protocol/messages'
import { decodeServer, encodeClient } from '../../src/net/protocol/wire'
import {
  DreamEngine,
  type Embedded,
  type Engine,
  type Picture,
  type Served,
  type StepJob,
  type StepResult,
} from '../engine/engine'
import type { DreamServer } from '../server'

/** The fixture world in this thread. */
export async function tinyEngine(maxBatch = 8): Promise<DreamEngine> {
  const { dream, files } = await tinyBatched(maxBatch)
  return new DreamEngine(dream, files, maxBatch, 'node-cpu')
}

/** Computes nothing: a picture is the session's tick and action, and a step takes as long as a test says. */
export class FakeEngine implements Engine {
  readonly lost = new Promise<never>(() => {})
  readonly served: Served = {
    world: {
      id: 'fake',
      backend: 'fake',
      modelHash: 'fake-model',
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
  }
  /** Sessions of every step, and what each was to do. */
  readonly steps: (readonly StepJob[])[] = []
  readonly prompts: string[] = []
  readonly dreams = new Map<string, { epoch: number; tick: number }>()
  closed = false

  constructor(
    readonly maxBatch = 8,
    private readonly beforeStep: () => Promise<void> = async () => {},
  ) {}

  async reset(session: string, _options: ResetOptions, format: FrameFormat): Promise<Picture> {
    return this.begin(session, 0, format)
  }

  async restore(session: string, snapshot: Snapshot, format: FrameFormat): Promise<Picture> {
    return this.begin(session, snapshot.tick, format)
  }

  async setPrompt(_session: string, prompt: Prompt | string): Promise<PromptReceipt> {
    this.prompts.push(typeof prompt === 'string' ? prompt : prompt.text)
    return { tick: null }
  }

  async embed(_session: string, text: string): Promise<Embedded> {
    return { text, embedding: Float32Array.of(1) }
  }

  async hush(_session: string): Promise<void> {}

  async snapshot(session: string): Promise<Snapshot> {
    const { tick } = this.dreams.get(session)!
    const { id, modelHash } = this.served.world
    return {
      format: 'oneiro-snapshot',
      version: 2,
      world: id,
      modelHash,
      ...{ tick, seed: 0, prompt: { text: '', embedding: null }, state: {} },
    }
  }

  async show(session: string, formats: readonly FrameFormat[]): Promise<readonly Picture[]> {
    const dream = this.dreams.get(session)
    if (!dream) throw new NotReadyError('show')
    return formats.map((format) => ({
      ...{ session, ...dream, format, payload: Uint8Array.of(1, 1), encodeMs: 0 },
    }))
  }

  async step(jobs: readonly StepJob[]): Promise<StepResult> {
    this.steps.push(jobs)
    await this.beforeStep()
    const pictures = jobs.flatMap(({ session, formats, action }): Picture[] => {
      const dream = this.dreams.get(session)
      if (!dream) return []
      dream.tick++
      const payload = Uint8Array.of(action.slide! + 1, action.light! + 1)
      return formats.map((format) => ({ session, ...dream, format, payload, encodeMs: 0 }))
    })
    return { pictures, studentMs: 1 }
  }

  async free(session: string): Promise<void> {
    this.dreams.delete(session)
  }

  async close(): Promise<void> {
    this.closed = true
  }

  private begin(session: string, tick: number, format: FrameFormat): Picture {
    const dream = { epoch: (this.dreams.get(session)?.epoch ?? 0) + 1, tick }
    this.dreams.set(session, dream)
    return { session, ...dream, format, payload: Uint8Array.of(1, 1), encodeMs: 0 }
  }
}

/** A websocket without a network: a test says what comes in, and reads what went out. */
export class FakeSocket extends EventEmitter {
  binaryType = ''
  bufferedAmount = 0
  sent: Uint8Array[] = []
  /** Close code and reason. */
  closed: string | null = null
  onSent: (bytes: Uint8Array) => void = () => {}
  /** Nothing is read of it any more. */
  paused = false

  constructor(server: DreamServer) {
    super()
    server.connect(this as unknown as WebSocket)
  }

  get messages(): ServerMessage[] {
    return this.sent.map((bytes) => decodeServer(bytes))
  }

  get frames(): FrameMessage[] {
    return this.messages.filter((message) => message.type === 'frame')
  }

  say(message: ClientMessage): void {
    this.sayBytes(encodeClient(message))
  }

  sayBytes(bytes: Uint8Array): void {
    this.emit('message', Buffer.from(bytes), true)
  }

  send(bytes: Uint8Array): void {
    if (this.closed !== null) return
    this.sent.push(bytes)
    this.onSent(bytes)
  }

  close(code: number, reason = ''): void {
    if (this.closed !== null) return
    this.closed = `${code} ${reason}`
    queueMicrotask(() => this.emit('close', code, Buffer.from(reason)))
  }

  pause(): void {
    this.paused = true
  }

  terminate(): void {
    this.close(1006)
  }
}

/** A client on a real websocket that says what it likes. */
export class RawClient {
  readonly socket: WebSocket
  readonly messages: ServerMessage[] = []
  readonly opened: Promise<void>
  /** Close code and reason. */
  readonly closed: Promise<string>
  onMessage: (message: ServerMessage) => void = () => {}

  constructor(server: { readonly port: number }) {
    this.socket = new WebSocket(`ws://127.0.0.1:${server.port}`)
    this.socket.on('error', () => {})
    this.socket.on('message', (data) => {
      const message = decodeServer(data as Buffer)
      this.messages.push(message)
      this.onMessage(message)
    })
    this.opened = new Promise((resolve) => this.socket.on('open', () => resolve()))
    this.closed = new Promise((resolve) =>
      this.socket.on('close', (code, reason) => resolve(`${code} ${reason}`)),
    )
  }

  say(message: ClientMessage): void {
    this.socket.send(encodeClient(message))
  }

  /** Says hello, and resolves with the first answer: what it was, or how the connection ended. */
  async hello(body: Partial<Hello> = {}): Promise<ServerMessage | string> {
    await this.opened
    this.say(helloOf(body))
    return Promise.race([this.first('welcome'), this.first('waiting'), this.closed])
  }

  /** The first message of a type, now or later. */
  first<Type extends ServerMessage['type']>(type: Type): Promise<Extract<ServerMessage, { type: Type }>> {
    return new Promise((resolve) => {
      const look = (message: ServerMessage) => {
        if (message.type === type) resolve(message as Extract<ServerMessage, { type: Type }>)
      }
      this.messages.forEach(look)
      this.socket.on('message', (data) => look(decodeServer(data as Buffer)))
    })
  }
}

/** Closes a server whose time, if it is fake, nobody else moves. */
export async function closeServer(server: DreamServer, time?: TimeSource): Promise<void> {
  let closed = false
  const closing = server.close().finally(() => {
    closed = true
  })
  while (time instanceof FakeTime && !closed) await time.run(100)
  await closing
}

export function helloOf(body: Partial<Hello> = {}): Extract<ClientMessage, { type: 'hello' }> {
  return { type: 'hello', body: { formats: ['webp'], mode: 'lockstep', ...body } }
}
