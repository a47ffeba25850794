import type { RawData, WebSocket } from 'ws'
import { OneiroError } from '../../src/engine/errors'
import { CLOSE_CODES, type RefusalCode } from '../../src/net/protocol/errors'
import type { ClientMessage, Elsewhere, Hello } from '../../src/net/protocol/messages'
import { clientType, decodeClient, encodeServer } from '../../src/net/protocol/wire'
import { Limits } from '../limits'

/** A client must say hello this soon. */
export const HELLO_MS = 5_000
/** A client that was not heard for so long is gone, whatever its socket says. */
export const SILENT_MS = 10_000
/** A connection that was ended is gone after so long, whatever its client does. */
export const CLOSING_MS = 250
/** What a client may still have had on its way when it was told. What comes then is not read any more. */
const MOST_AFTER = 8
/** A client that lets so much pile up does not read. Frames stop at three, so only answers can get here. */
const MOST_BUFFERED = 2 * 1024 * 1024
/** Characters of a sentence; an error message has room for as many. */
const LONGEST_SENTENCE = 2000

/** A connection, as its peer sees it. */
export interface Channel {
  send(bytes: Uint8Array): void
  /** Says why, where there is a reason, and closes. */
  close(code: RefusalCode | null): void
}

/** Whom a connection serves: a player's session, or a spectator. */
export interface Peer {
  /** Of the session that is played or watched. */
  readonly id: string
  /** Whether this may be said now. */
  mayCome(type: ClientMessage['type']): boolean
  handle(message: Exclude<ClientMessage, { type: 'hello' }>): void
  /** This connection is gone. */
  detach(line: Channel): void
}

export interface ConnectionOptions {
  readonly socket: WebSocket
  readonly now: () => number
  /**
   * The first message; throws an `OneiroError` where it is refused. Else the connection's peer is set, at once or, where
   * other workers have to be asked, a little later.
   */
  readonly onHello: (connection: Connection, hello: Hello) => void | Promise<void>
  /** Any message after the hello. */
  readonly onMessage: (peer: Peer) => void
  /** It was ended, and may last a moment longer. */
  readonly onClosing?: () => void
  readonly onClosed: (connection: Connection) => void
  readonly onRefused: (code: string) => void
  /** Told of what is no fault of the client. */
  readonly onError: (error: unknown) => void
}

/** One websocket: reads and checks what comes, and passes it to its peer. */
export class Connection implements Channel {
  peer: Peer | null = null
  private readonly limits = new Limits()
  private heardAtMs: number
  private greeted = false
  private joining = false
  private closed = false
  private closedAtMs = 0
  /** Its client is given time to read what it was told. */
  private patient = false
  /** What came after the end. */
  private after = 0

  constructor(private readonly options: ConnectionOptions) {
    const { socket } = options
    this.heardAtMs = options.now()
    socket.binaryType = 'nodebuffer'
    socket.on('message', (data, isBinary) => this.receive(data, isBinary))
    for (const control of ['ping', 'pong'] as const) socket.on(control, () => this.control())
    // Without a listener a broken socket would end the process. What happened is seen in `close`.
    socket.on('error', () => {})
    socket.on('close', () => {
      this.closed = true
      this.peer?.detach(this)
      options.onClosed(this)
    })
  }

  send(bytes: Uint8Array): void {
    const { socket } = this.options
    if (this.closed) return
    if (socket.bufferedAmount > MOST_BUFFERED) socket.terminate()
    else socket.send(bytes)
  }

  close(code: RefusalCode | null, message = SENTENCES[code ?? 'SERVER_DRAINING'], to?: Elsewhere): void {
    if (this.closed) return
    if (code) {
      this.options.onRefused(code)
      const body = { code, message: message.slice(0, LONGEST_SENTENCE), ...(to ? { to } : {}) }
      this.send(encodeServer({ type: 'error', request: 0, body }))
    }
    this.closed = true
    this.closedAtMs = this.options.now()
    this.patient = code === 'SERVER_DRAINING'
    this.options.onClosing?.()
    this.options.socket.close(code ? CLOSE_CODES[code] : 1000, code ?? '')
    this.peer?.detach(this)
  }

  /** Ends the connection at once, without a word: for one that does not answer. */
  terminate(): void {
    this.options.socket.terminate()
  }

  sweep(nowMs: number): void {
    if (this.closed) {
      if (!this.patient && nowMs - this.closedAtMs >= CLOSING_MS) this.terminate()
      return
    }
    const silentMs = nowMs - this.heardAtMs
    if (!this.greeted && silentMs >= HELLO_MS) this.close('HELLO_LATE')
    else if (silentMs >= SILENT_MS) this.terminate()
  }

  /** Pings are answered by the websocket itself, and are no sign of a client that plays. */
  private control(): void {
    if (this.closed) this.ignore()
    else if (!this.limits.take('control', this.options.now())) this.close('TOO_MANY_MESSAGES')
  }

  private ignore(): void {
    if (++this.after === MOST_AFTER) this.options.socket.pause()
  }

  private receive(data: RawData, isBinary: boolean): void {
    if (this.closed) {
      this.ignore()
      return
    }
    this.heardAtMs = this.options.now()
    if (!isBinary) {
      this.close('TEXT_MESSAGE')
      return
    }
    try {
      this.take(data as Buffer)
    } catch (error) {
      this.refuse(error)
    }
  }

  private refuse(error: unknown): void {
    if (error instanceof ElsewhereError) this.close(error.code as RefusalCode, error.message, error.to)
    else if (error instanceof OneiroError) {
      this.close(error.code in CLOSE_CODES ? (error.code as RefusalCode) : 'WIRE_MALFORMED', error.message)
    } else {
      this.options.onError(error)
      this.close('SERVER_FAILED')
    }
  }

  /** What must not be said now, or not so often, is not even read: a stranger's megabyte costs nothing. */
  private take(bytes: Buffer): void {
    const type = clientType(bytes)
    const { peer } = this
    if (!this.limits.take(type, this.heardAtMs)) this.close('TOO_MANY_MESSAGES')
    else if (!this.mayCome(type)) this.close('UNEXPECTED_MESSAGE')
    else {
      const message = decodeClient(bytes)
      if (message.type === 'hello') this.greet(message.body)
      else if (peer) {
        this.options.onMessage(peer)
        peer.handle(message)
      } else if (message.type === 'bye') this.close(null)
    }
  }

  private mayCome(type: ClientMessage['type']): boolean {
    if (!this.greeted) return type === 'hello'
    if (this.joining) return type === 'heartbeat' || type === 'bye'
    return type !== 'hello' && this.peer?.mayCome(type) === true
  }

  private greet(hello: Hello): void {
    const joining = this.options.onHello(this, hello)
    this.greeted = true
    if (!joining) return
    this.joining = true
    joining
      .then(() => {
        // It went while others were asked.
        if (this.closed) this.peer?.detach(this)
      })
      .catch((error: unknown) => this.refuse(error))
      .finally(() => {
        this.joining = false
      })
  }
}

const SENTENCES: Record<RefusalCode, string> = {
  SERVER_DRAINING: 'The server is going away. Join again in a moment; the drive goes on where it was.',
  TEXT_MESSAGE: 'Only binary messages are spoken here, but a text came. See the layouts of the wire.',
  WIRE_MALFORMED: 'A message could not be read. Check that both ends run the same build.',
  UNAUTHORIZED: 'This server asks for a token, and another one or none came. Ask its owner for it.',
  SESSION_GONE: 'There is no such session any more. Begin a new one.',
  NO_COMMON_FORMAT: 'No frame format is known to both ends. Offer "webp" or "jpeg".',
  HELLO_LATE: `A client says hello within ${HELLO_MS / 1000} s, but none came. Connect again.`,
  SESSION_TAKEN: 'Another connection took this session up, so this one ends.',
  SEAT_GONE: 'No seat is kept for this: it was taken, or given up after its time. Ask for another one.',
  UNEXPECTED_MESSAGE:
    'A connection begins with one hello; who waits or watches does not act. Connect again, and play with a seat.',
  WIRE_VERSION: 'The other end speaks another version of the wire. Update the older of the two.',
  SESSION_MOVED: 'This session is on another server. Go on there.',
  SEAT_ELSEWHERE: 'All seats here are taken, but one is kept on another server. Take it within 30 s.',
  TRY_LATER: 'It is not known at the moment where this session is. Try again in a second.',
  TOO_MANY_MESSAGES: 'Too many messages came at once. Send each input once a tick at most.',
  SERVER_FULL: 'All seats are taken, and the line is full. Try again later.',
  SERVER_FAILED: 'The server failed in this session; its log says why. Begin a new one.',
}

/** An `OneiroError` for a refusal, in the server's own words. */
export function refusal(code: RefusalCode, message = SENTENCES[code]): OneiroError {
  return new OneiroError(code, message)
}

/** A refusal that says where to go instead. */
export class ElsewhereError extends OneiroError {
  constructor(
    code: 'SESSION_MOVED' | 'SEAT_ELSEWHERE',
    readonly to: Elsewhere,
  ) {
    super(code, SENTENCES[code])
  }
}
