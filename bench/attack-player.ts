import { WebSocket } from 'ws'
import { OneiroError } from '../src/engine/errors'
import type { ClientMessage, FrameFormat, Hello, ServerMessage } from '../src/net/protocol/messages'
import { decodeServer, encodeClient } from '../src/net/protocol/wire'

export interface Play {
  readonly url: string
  readonly token: string
  readonly decoderHash: string
}

/** What a player saw of a stretch of time. */
export interface Health {
  readonly ticksPerSecond: number
  /** The longest that an answer to a heartbeat took, or has taken so far; milliseconds. */
  readonly worstBeatMs: number
}

const BEAT_MS = 100
const ANSWER_MS = 20_000
const JOIN_MS = 5_000

/** A connection that speaks the wire and nothing more. */
export class Speaker {
  readonly socket: WebSocket
  readonly closed: Promise<number>
  private readonly listeners = new Set<(message: ServerMessage) => void>()

  constructor(url: string) {
    this.socket = new WebSocket(url)
    this.socket.on('error', () => {})
    this.socket.on('message', (data: Buffer) => {
      const message = decodeServer(data)
      if (message.type === 'frame') this.say({ type: 'ack', sequence: message.sequence })
      for (const listener of this.listeners) listener(message)
    })
    this.closed = new Promise((resolve) => this.socket.on('close', (code) => resolve(code)))
  }

  get open(): boolean {
    return this.socket.readyState === WebSocket.OPEN
  }

  on(listener: (message: ServerMessage) => void): void {
    this.listeners.add(listener)
  }

  say(message: ClientMessage): void {
    if (this.open) this.socket.send(encodeClient(message))
  }

  /** Says hello; true where it was let in. */
  async join(hello: Partial<Hello> & { readonly formats: FrameFormat[] }): Promise<boolean> {
    const welcomed = this.next((message) => message.type === 'welcome', JOIN_MS).then(() => true)
    this.socket.once('open', () => this.say({ type: 'hello', body: { mode: 'lockstep', ...hello } }))
    return Promise.race([welcomed, this.closed.then(() => false)]).catch(() => false)
  }

  next(fits: (message: ServerMessage) => boolean, waitMs = ANSWER_MS): Promise<ServerMessage> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.listeners.delete(look)
        reject(
          new OneiroError('NO_ANSWER', `An answer was expected within ${waitMs / 1000} s, but none came.`),
        )
      }, waitMs)
      const look = (message: ServerMessage) => {
        if (!fits(message)) return
        clearTimeout(timer)
        this.listeners.delete(look)
        resolve(message)
      }
      this.listeners.add(look)
    })
  }

  terminate(): void {
    this.socket.terminate()
  }
}

/** A healthy player in real time. */
export class HealthyPlayer {
  private readonly speaker: Speaker
  private readonly beats: ReturnType<typeof setInterval>
  private tick = 0
  private unanswered: number[] = []
  private worstMs = 0
  private since = { tick: 0, atMs: 0 }
  private requests = 1

  private constructor(url: string) {
    this.speaker = new Speaker(url)
    this.speaker.on((message) => this.receive(message))
    this.beats = setInterval(() => {
      const sentAtMs = performance.now()
      this.unanswered.push(sentAtMs)
      this.speaker.say({ type: 'heartbeat', sentAtMs })
    }, BEAT_MS)
  }

  static async open({ url, token, decoderHash }: Play, seed: number): Promise<HealthyPlayer> {
    const player = new HealthyPlayer(url)
    const { speaker } = player
    if (!(await speaker.join({ formats: ['latents'], mode: 'realtime', token, decoderHash }))) {
      throw new OneiroError('NO_SEAT', 'A healthy player was expected to get in, but it was refused.')
    }
    speaker.say({ type: 'reset', request: 1, body: { seed } })
    await speaker.next((message) => message.type === 'frame')
    player.begin()
    return player
  }

  /** What is seen from here on counts. */
  begin(): void {
    this.since = { tick: this.tick, atMs: performance.now() }
    this.worstMs = 0
    this.unanswered = []
  }

  get health(): Health {
    const nowMs = performance.now()
    const { tick, atMs } = this.since
    const waitingMs = this.unanswered.length > 0 ? nowMs - this.unanswered[0]! : 0
    return {
      ticksPerSecond: ((this.tick - tick) * 1000) / (nowMs - atMs),
      worstBeatMs: Math.max(this.worstMs, waitingMs),
    }
  }

  /** Says words that nobody knows by heart, and how long it took until they counted; milliseconds. */
  async speak(text: string): Promise<number> {
    const startedMs = performance.now()
    const request = ++this.requests
    this.speaker.say({ type: 'prompt', request, body: { text } })
    await this.speaker.next((message) => 'request' in message && message.request === request).catch(() => {})
    return performance.now() - startedMs
  }

  close(): void {
    clearInterval(this.beats)
    this.speaker.terminate()
  }

  private receive(message: ServerMessage): void {
    if (message.type === 'frame') this.tick = Math.max(this.tick, message.tick)
    if (message.type !== 'pong') return
    this.worstMs = Math.max(this.worstMs, performance.now() - message.echoMs)
    this.unanswered = this.unanswered.filter((sentAtMs) => sentAtMs > message.echoMs)
  }
}
