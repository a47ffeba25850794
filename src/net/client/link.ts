import type { TimeSource } from '../../engine/clock'
import { OneiroError } from '../../engine/errors'
import { fromWire } from '../../model/errors'
import { CLOSE_CODES, ConnectionLostError, ServerRefusedError } from '../protocol/errors'
import type { ClientMessage, Elsewhere, ErrorBody, Hello, ServerMessage, Welcome } from '../protocol/messages'
import { decodeServer, encodeClient } from '../protocol/wire'
import { Addresses } from './addresses'

/** The part of a websocket that is used: the browser's own and that of `ws` fit. */
export interface SocketLike {
  binaryType: string
  onopen: ((event: never) => void) | null
  onmessage: ((event: never) => void) | null
  onclose: ((event: never) => void) | null
  onerror: ((event: never) => void) | null
  send(data: Uint8Array<ArrayBuffer>): void
  close(): void
}

export type SocketConstructor = new (url: string) => SocketLike

export interface LinkOptions {
  /** `ws://` or `wss://`. Where the server is one of many, the others are found through it. */
  readonly url: string
  readonly WebSocket: SocketConstructor
  readonly time: TimeSource
  /** Uniform in [0, 1); spreads out clients that lost the same server. */
  readonly random: () => number
  /** The hello of the next connection, without what resumes. */
  readonly hello: () => Omit<Hello, 'resume'>
  readonly onWelcome: (welcome: Welcome) => void
  readonly onMessage: (message: ServerMessage) => void
  readonly onWaiting: (position: number) => void
  /** Every half second while connected. */
  readonly onBeat: () => void
  /** The connection is gone; another one is tried for. */
  readonly onDown: () => void
  /** The session is gone. True where a new one should be begun. */
  readonly onGone: () => boolean
  /** It is over. */
  readonly onFailed: (error: OneiroError) => void
}

const BEAT_MS = 500
/** A server answers every heartbeat, so one that says nothing for so long is not there. */
const SILENT_MS = 5_000
/** Where there are others that can go on with the session: when they know, too, that it is dead. */
const SILENT_AMONG_MS = 2_000
/** How often that is looked at. */
const LOOK_MS = 250
/** The server keeps a session this long. */
const PATIENCE_MS = 60_000
/** Of a whole round of addresses. */
const SHORTEST_PAUSE_MS = 200
const LONGEST_PAUSE_MS = 4_000
/** A machine that was cut off answers nothing at all; where there are others, it is not waited for. */
const CONNECT_MS = 2_000
/** Seats elsewhere that come to nothing before it is given up. */
const MOST_DETOURS = 3
/** Refusals that another try can change. */
const PASSING = new Set([
  'SERVER_DRAINING',
  'HELLO_LATE',
  'SESSION_GONE',
  'SESSION_MOVED',
  'CONNECTION_LOST',
  'SERVER_FULL',
  'TRY_LATER',
])

/** How a connection ended. */
interface Ending {
  readonly error: OneiroError
  readonly wasOpen: boolean
  readonly to: Elsewhere | null
  /** It said nothing any more. */
  readonly silent: boolean
}

/** A connection that is had again when it is lost. */
export class Link {
  roundTripMs = 0
  /** Of the newest connection. */
  address: string
  private socket: SocketLike | null = null
  private open = false
  private resume: string | null = null
  /** Kept for this client by another worker. */
  private seat: string | null = null
  private detours = 0
  private welcomed = false
  private closing = false
  private readonly addresses: Addresses
  private readonly stop = new AbortController()

  constructor(private readonly options: LinkOptions) {
    this.address = options.url
    this.addresses = new Addresses(options.url)
  }

  /** True between a welcome and the end of its connection. */
  get up(): boolean {
    return this.open
  }

  /** Connects, and stays connected until `close`, or until it cannot. */
  async run(): Promise<void> {
    const { time, random } = this.options
    let lostAtMs = time.now()
    let rounds = 0
    for (;;) {
      const { error, wasOpen, to, silent } = await this.converse(this.addresses.next)
      if (this.closing) return
      if (wasOpen) {
        rounds = 0
        lostAtMs = time.now()
        this.options.onDown()
        if (silent) this.addresses.avoid()
      }
      if (to && this.addresses.jump(to.url)) {
        this.seat = to.seat ?? null
        continue
      }
      const again = this.welcomed && PASSING.has(error.code) && time.now() - lostAtMs < PATIENCE_MS
      const gone = error.code === 'SESSION_GONE'
      if (!this.detoured() && (!again || (gone && !this.options.onGone()))) {
        this.options.onFailed(error)
        return
      }
      if (gone) this.forget()
      const pauseMs = Math.min(LONGEST_PAUSE_MS, SHORTEST_PAUSE_MS * 2 ** rounds) / this.addresses.count
      if (wasOpen || this.addresses.failed()) rounds++
      await time.sleep(pauseMs * (0.5 + random()), this.stop.signal)
      if (this.closing) return
    }
  }

  /** Sends where there is a connection; what cannot be sent is the caller's to keep. Throws on what is no message. */
  send(message: ClientMessage): boolean {
    const bytes = encodeClient(message)
    if (!this.open) return false
    this.socket!.send(bytes as Uint8Array<ArrayBuffer>)
    return true
  }

  /** Takes leave. Idempotent. */
  close(): void {
    if (this.closing) return
    this.send({ type: 'bye' })
    this.closing = true
    this.open = false
    this.stop.abort()
    // Ends the conversation by its `onclose`, and the heartbeats with it.
    this.socket?.close()
  }

  /** The session is gone: another one is begun where the user pointed. */
  private forget(): void {
    this.resume = null
    this.addresses.forget()
  }

  /** True where a seat elsewhere came to nothing, and the first address may be asked again. */
  private detoured(): boolean {
    if (this.seat === null || this.welcomed || ++this.detours >= MOST_DETOURS) return false
    this.seat = null
    this.addresses.forget()
    return true
  }

  /** The server's token is for the address that the user gave; any other is told only what opens one session or seat. */
  private hello(address: string): Hello {
    const { token, seat, ...rest } = this.options.hello()
    const named = address === this.options.url
    return {
      ...rest,
      ...(named && token ? { token } : {}),
      ...(named && seat ? { seat } : {}),
      ...(this.seat ? { seat: this.seat } : {}),
      ...(this.resume ? { resume: this.resume } : {}),
    }
  }

  /** One connection, from its beginning to its end. */
  private converse(address: string): Promise<Ending> {
    const { options } = this
    this.address = address
    const startedAtMs = options.time.now()
    return new Promise((resolve) => {
      const ended = new AbortController()
      let heardAtMs = options.time.now()
      let refused: OneiroError | null = null
      let to: Elsewhere | null = null
      let wasOpen = false
      let greeted = false
      let silent = false
      const end = (why: string) => {
        if (ended.signal.aborted) return
        ended.abort()
        this.open = false
        socket.close()
        resolve({ error: refused ?? new ConnectionLostError(why), wasOpen, to, silent })
      }
      let socket: SocketLike
      try {
        socket = new options.WebSocket(address)
      } catch (cause) {
        resolve({ error: new ConnectionLostError(String(cause), { cause }), wasOpen, to, silent })
        return
      }
      this.socket = socket
      socket.binaryType = 'arraybuffer'
      socket.onopen = () => {
        const body = this.hello(address)
        socket.send(encodeClient({ type: 'hello', body }) as Uint8Array<ArrayBuffer>)
        greeted = true
      }
      socket.onerror = (event: { message?: string }) => end(event.message || 'it did not answer')
      socket.onclose = (event: { reason?: string }) => end(event.reason || 'the connection was closed')
      socket.onmessage = ({ data }: { data: unknown }) => {
        if (ended.signal.aborted) return
        heardAtMs = options.time.now()
        try {
          if (!(data instanceof ArrayBuffer)) throw new OneiroError('WIRE_MALFORMED', TEXT_CAME)
          const message = decodeServer(new Uint8Array(data))
          if (message.type === 'error' && message.request === 0) {
            refused = revive(message.body)
            to = message.body.to ?? null
          } else if (message.type === 'welcome') wasOpen = true
          this.receive(message)
        } catch (error) {
          refused = error as OneiroError
          end('it cannot be understood')
        }
      }
      void this.watch(ended.signal, (nowMs, isBeat) => {
        if (!greeted && this.addresses.count > 1 && nowMs - startedAtMs >= CONNECT_MS) {
          end('it does not answer')
          return
        }
        if (nowMs - heardAtMs >= (this.addresses.hasOthers ? SILENT_AMONG_MS : SILENT_MS)) {
          silent = true
          end('it says nothing any more')
          return
        }
        if (!isBeat) return
        // Also while waiting for a seat: the server asks for a sign of life.
        if (greeted)
          socket.send(encodeClient({ type: 'heartbeat', sentAtMs: nowMs }) as Uint8Array<ArrayBuffer>)
        if (this.open) options.onBeat()
      })
    })
  }

  private receive(message: ServerMessage): void {
    const { options } = this
    if (message.type === 'welcome') {
      this.resume = message.body.resume ?? null
      this.seat = null
      this.open = true
      this.welcomed = true
      this.addresses.settled()
      options.onWelcome(message.body)
    } else if (message.type === 'waiting') options.onWaiting(message.position)
    else if (message.type === 'workers') this.addresses.learn(message.body.urls)
    else if (message.type === 'pong') this.roundTripMs = options.time.now() - message.echoMs
    else options.onMessage(message)
  }

  private async watch(ended: AbortSignal, look: (nowMs: number, isBeat: boolean) => void): Promise<void> {
    const { time } = this.options
    for (let looks = 1; ; looks++) {
      await time.sleep(LOOK_MS, ended)
      if (ended.aborted) return
      look(time.now(), looks % (BEAT_MS / LOOK_MS) === 0)
    }
  }
}

/** The error that a server told of, with its class, so that `instanceof` holds on both sides. */
export function revive({ code, message }: ErrorBody): OneiroError {
  return code in CLOSE_CODES || code === 'BUSY'
    ? new ServerRefusedError(code, message)
    : fromWire({ code, message })
}

const TEXT_CAME = 'A server speaks in binary messages only, but a text came. Check the address.'
