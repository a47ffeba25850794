import { WebSocket } from 'ws'
import { systemTime } from '../src/engine/clock'
import { spaceOf } from '../src/engine/controls'
import { OneiroError } from '../src/engine/errors'
import type { SocketConstructor } from '../src/net/client/link'
import { Multipath } from '../src/net/client/multipath'
import type { FrameFormat, FrameMessage, ServerMessage } from '../src/net/protocol/messages'
import type { Arrival } from './serve-stats'

export interface ClientOptions {
  readonly url: string
  readonly format: FrameFormat
  /** Of the server's world, so that it sends latents. */
  readonly decoderHash: string
  readonly seed: number
  readonly token?: string
  /** Milliseconds between two inputs. */
  readonly periodMs: number
}

/** Bytes of a frame before its payload; `src/net/README.md` draws them. */
const FRAME_HEADER = 52
/** Ticks that an input is held for. */
const HOLD = 7

/**
 * A player without a screen: realtime play over the product's own connection, a new input every period, every frame
 * acknowledged, none decoded, so that what is measured is the server.
 */
export class BenchClient {
  /** Since the last `clear`. */
  arrivals: Arrival[] = []
  private readonly link: Multipath
  private readonly inputs: ReturnType<typeof setInterval>
  private actions = 0
  /** Different actions of the world. */
  private size = 1

  private constructor(options: ClientOptions, begun: { resolve(): void; reject(error: Error): void }) {
    const { url, format, decoderHash, seed, token, periodMs } = options
    this.link = new Multipath({
      url,
      WebSocket: WebSocket as unknown as SocketConstructor,
      time: systemTime,
      random: () => 0.5,
      hello: () => ({ formats: [format], mode: 'realtime', decoderHash, ...(token ? { token } : {}) }),
      onWelcome: ({ world }) => {
        this.size = spaceOf(world.controls).size
        this.link.send({ type: 'reset', request: 1, body: { seed } })
      },
      onMessage: (message) => this.receive(message, begun),
      onWaiting: () =>
        begun.reject(new OneiroError('NO_SEAT', 'A free seat was expected, but the server is full.')),
      onBeat: () => {},
      onDown: () => {},
      onGone: () => false,
      onFailed: begun.reject,
    })
    this.inputs = setInterval(() => this.act(), periodMs)
  }

  /** Connects, and begins a drive. */
  static async open(options: ClientOptions): Promise<BenchClient> {
    let client!: BenchClient
    try {
      await new Promise<void>((resolve, reject) => {
        client = new BenchClient(options, { resolve, reject })
        void client.link.run()
      })
      return client
    } catch (error) {
      client.close()
      throw error
    }
  }

  /** By the last heartbeat. */
  get roundTripMs(): number {
    return this.link.roundTripMs
  }

  get connections(): number {
    return this.link.connections
  }

  clear(): void {
    this.arrivals = []
  }

  close(): void {
    clearInterval(this.inputs)
    this.link.close()
  }

  private act(): void {
    const sequence = ++this.actions
    const code = (Math.floor(sequence / HOLD) * 5 + 3) % this.size
    this.link.send({ type: 'action', code, sequence, sentAtMs: performance.now() })
  }

  private receive(message: ServerMessage, begun: { resolve(): void; reject(error: Error): void }): void {
    if (message.type === 'error') begun.reject(new OneiroError(message.body.code, message.body.message))
    if (message.type !== 'frame') return
    const nowMs = performance.now()
    this.link.send({ type: 'ack', sequence: message.sequence })
    if (message.request !== 0) begun.resolve()
    else this.arrivals.push(arrival(message, nowMs))
  }
}

function arrival({ tick, payload, echoMs, skipped }: FrameMessage, atMs: number): Arrival {
  const bytes = FRAME_HEADER + payload.length
  return { atMs, tick, bytes, ageMs: echoMs > 0 ? atMs - echoMs : null, skipped }
}
