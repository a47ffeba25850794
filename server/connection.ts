import type { RawData, WebSocket } from 'ws'
import { OneiroError } from '../src/engine/errors'
import { CLOSE_CODES, type RefusalCode } from '../src/net/errors'
import type { ClientMessage, Hello } from '../src/net/messages'
import { decodeClient, encodeServer } from '../src/net/wire'
import { Limits } from './limits'
import type { Line, Session } from './session'

/** A client must say hello this soon. */
export const HELLO_MS = 5_000
/** A client that was not heard for so long is gone, whatever its socket says. */
export const SILENT_MS = 10_000
/** A client that lets so much pile up does not read. Frames stop at three, so only answers can get here. */
const MOST_BUFFERED = 2 * 1024 * 1024

export interface ConnectionOptions {
  readonly socket: WebSocket
  readonly now: () => number
  /** The first message; throws an `OneiroError` where it is refused. Else the connection's session is set. */
  readonly onHello: (connection: Connection, hello: Hello) => void
  /** Any message after the hello. */
  readonly onHeard: (session: Session) => void
  readonly onClosed: (connection: Connection) => void
  readonly onRefused: (code: string) => void
  /** Told of what is no fault of the client. */
  readonly onError: (error: unknown) => void
}

/** One websocket: reads and checks what comes, and passes it to its session. */
export class Connection implements Line {
  session: Session | null = null
  private readonly limits = new Limits()
  private heardAtMs: number
  private greeted = false
  private closed = false

  constructor(private readonly options: ConnectionOptions) {
    const { socket } = options
    this.heardAtMs = options.now()
    socket.binaryType = 'nodebuffer'
    socket.on('message', (data, isBinary) => this.receive(data, isBinary))
    // Without a listener a broken socket would end the process. What happened is seen in `close`.
    socket.on('error', () => {})
    socket.on('close', () => {
      this.closed = true
      this.session?.detach(this)
      options.onClosed(this)
    })
  }

  send(bytes: Uint8Array): void {
    const { socket } = this.options
    if (this.closed) return
    if (socket.bufferedAmount > MOST_BUFFERED) socket.terminate()
    else socket.send(bytes)
  }

  close(code: RefusalCode | null, message = SENTENCES[code ?? 'SERVER_DRAINING']): void {
    if (this.closed) return
    if (code) {
      this.options.onRefused(code)
      this.send(encodeServer({ type: 'error', request: 0, body: { code, message } }))
    }
    this.closed = true
    this.options.socket.close(code ? CLOSE_CODES[code] : 1000, code ?? '')
    this.session?.detach(this)
  }

  /** Ends the connection at once, without a word: for one that does not answer. */
  terminate(): void {
    this.options.socket.terminate()
  }

  sweep(nowMs: number): void {
    if (this.closed) return
    const silentMs = nowMs - this.heardAtMs
    if (!this.greeted && silentMs >= HELLO_MS) this.close('HELLO_LATE')
    else if (silentMs >= SILENT_MS) this.terminate()
  }

  private receive(data: RawData, isBinary: boolean): void {
    if (this.closed) return
    this.heardAtMs = this.options.now()
    if (!isBinary) {
      this.close('TEXT_MESSAGE')
      return
    }
    try {
      this.take(decodeClient(data as Buffer))
    } catch (error) {
      if (error instanceof OneiroError) {
        this.close(error.code in CLOSE_CODES ? (error.code as RefusalCode) : 'WIRE_MALFORMED', error.message)
      } else {
        this.options.onError(error)
        this.close('SERVER_FAILED')
      }
    }
  }

  private take(message: ClientMessage): void {
    const { session } = this
    if (!this.limits.take(message.type, this.heardAtMs)) this.close('TOO_MANY_MESSAGES')
    else if (message.type === 'hello') {
      if (this.greeted) this.close('UNEXPECTED_MESSAGE')
      else this.options.onHello(this, message.body)
      this.greeted = true
    } else if (!session || !mayCome(message, session)) this.close('UNEXPECTED_MESSAGE')
    else {
      this.options.onHeard(session)
      session.handle(message)
    }
  }
}

/** Who waits for a seat may only show that it is there. */
function mayCome({ type }: ClientMessage, { state }: Session): boolean {
  return state !== 'connecting' || type === 'heartbeat' || type === 'bye'
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
  UNEXPECTED_MESSAGE: 'A connection begins with one hello, and has no other. Connect again.',
  WIRE_VERSION: 'The other end speaks another version of the wire. Update the older of the two.',
  TOO_MANY_MESSAGES: 'Too many messages came at once. Send each input once a tick at most.',
  SERVER_FULL: 'All seats are taken, and the line is full. Try again later.',
  SERVER_FAILED: 'The server failed in this session; its log says why. Begin a new one.',
}

/** An `OneiroError` for a refusal, in the server's own words. */
export function refusal(code: RefusalCode): OneiroError {
  return new OneiroError(code, SENTENCES[code])
}
