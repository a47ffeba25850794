import { systemTime, type TimeSource } from '../../engine/clock'
import { type OneiroError, WorldClosedError } from '../../engine/errors'
import { TaskQueue } from '../../engine/task-queue'
import type { Tick, WorldInfo } from '../../engine/world'
import type { FrameMessage, ServerMessage, Welcome } from '../protocol/messages'
import { Link, type SocketConstructor } from './link'
import { Pacer, type PacerStats } from './pacer'
import type { Pictures } from './pictures'

export interface WatcherOptions {
  /** Address of the server, `ws://` or `wss://`. */
  readonly url: string
  /** `WebSocket` of the browser, or of `ws`. */
  readonly WebSocket: SocketConstructor
  /** Owned by the watcher from now on. */
  readonly pictures: Pictures
  /** `watch` of the player's `RemoteWorld`; or, with the server's token, the session's id. */
  readonly watch: string
  readonly token?: string
  readonly time?: TimeSource
  /** Uniform in [0, 1), for the pauses between tries to connect. */
  readonly random: () => number
}

/**
 * Somebody else's drive, to look at. A lost connection is tried for again; the drive's end rejects with `SESSION_GONE`.
 *
 * @example
 * const watcher = await Watcher.open({ url, WebSocket, pictures, random: Math.random, watch: world.watch! })
 * for (;;) show(await watcher.next())
 */
export class Watcher {
  private readonly link: Link
  private readonly pacer = new Pacer()
  private readonly decoding = new TaskQueue()
  private readonly time: TimeSource
  private welcome: Welcome | null = null
  private epoch = 0
  private failure: OneiroError | null = null
  private closing: Promise<void> | null = null

  private constructor(
    private readonly options: WatcherOptions,
    opened: { resolve(): void; reject(error: Error): void },
  ) {
    const { url, WebSocket, pictures, watch, token, random, time = systemTime } = options
    this.time = time
    this.link = new Link({
      ...{ url, WebSocket, time, random },
      hello: () => ({
        formats: [...pictures.formats],
        mode: 'realtime',
        watch,
        ...(pictures.decoderHash ? { decoderHash: pictures.decoderHash } : {}),
        ...(token ? { token } : {}),
      }),
      onWelcome: (welcome) => {
        this.welcome = welcome
        // A drive that another worker took up is set back a little.
        this.pacer.begin(-1)
        opened.resolve()
      },
      onMessage: (message) => this.receive(message),
      onWaiting: () => {},
      onBeat: () => {},
      onDown: () => {},
      onGone: () => false,
      onFailed: (error) => {
        opened.reject(error)
        this.fail(error)
      },
    })
  }

  /** Connects. Rejects with what went wrong. */
  static async open(options: WatcherOptions): Promise<Watcher> {
    let watcher!: Watcher
    await new Promise<void>((resolve, reject) => {
      watcher = new Watcher(options, { resolve, reject })
      void watcher.link.run()
    })
    return watcher
  }

  get info(): WorldInfo {
    return { ...this.welcome!.world, kind: 'remote' }
  }

  get stats(): PacerStats {
    return this.pacer.stats
  }

  /** The newest frame that was not shown yet, or else the next to come. */
  async next(): Promise<Tick> {
    if (this.failure) throw this.failure
    return this.show(await this.pacer.take(this.time.now()))
  }

  /** Idempotent. */
  close(): Promise<void> {
    this.closing ??= this.end()
    return this.closing
  }

  private async end(): Promise<void> {
    this.fail(new WorldClosedError('next'))
    await this.decoding.run(() => this.options.pictures.close())
  }

  private receive(message: ServerMessage): void {
    if (message.type !== 'frame') return
    this.link.send({ type: 'ack', sequence: message.sequence })
    if (message.epoch > this.epoch) {
      this.epoch = message.epoch
      this.pacer.begin(-1)
    }
    this.pacer.arrived(message, this.epoch, this.time.now())
  }

  private show({ tick: index, epoch, format, payload, timings, reward, done }: FrameMessage): Promise<Tick> {
    return this.decoding.run(async () => {
      const started = this.time.now()
      const picture = await this.options.pictures.decode(format, payload)
      const decode = this.time.now() - started
      return { index, epoch, ...picture, reward, done, timings: { ...timings, decode } }
    })
  }

  private fail(error: OneiroError): void {
    this.failure ??= error
    this.link.close()
    this.pacer.fail(error)
  }
}
