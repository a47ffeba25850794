import type { RefusalCode } from '../../src/net/protocol/errors'
import type { ClientMessage } from '../../src/net/protocol/messages'
import { encodeServer } from '../../src/net/protocol/wire'
import { type Channel, type Peer, refusal } from './connection'

/** Further connections of one session. */
export const MOST_SUBFLOWS = 2

/** A further connection of a session that is played: brings frames and takes actions, whichever comes first counts. */
export class Subflow implements Peer {
  constructor(
    private readonly session: Peer,
    private readonly line: Channel,
    private readonly onGone: () => void,
  ) {}

  get id(): string {
    return this.session.id
  }

  mayCome(type: ClientMessage['type']): boolean {
    return type === 'action' || type === 'ack' || type === 'heartbeat' || type === 'bye'
  }

  handle(message: Exclude<ClientMessage, { type: 'hello' }>): void {
    if (message.type === 'heartbeat') {
      this.line.send(encodeServer({ type: 'pong', echoMs: message.sentAtMs }))
    } else if (message.type === 'bye') this.line.close(null)
    else this.session.handle(message)
  }

  detach(): void {
    this.onGone()
  }
}

/** Those of one session; they last as long as the connection that they are beside. */
export class Subflows {
  private readonly lines = new Set<Channel>()

  get size(): number {
    return this.lines.size
  }

  /** Throws a refusal where there are enough. */
  add(session: Peer, line: Channel): Subflow {
    if (this.lines.size >= MOST_SUBFLOWS) throw refusal('SERVER_FULL', ENOUGH)
    this.lines.add(line)
    return new Subflow(session, line, () => this.lines.delete(line))
  }

  send(bytes: Uint8Array): void {
    for (const line of this.lines) line.send(bytes)
  }

  close(code: RefusalCode | null): void {
    const lines = [...this.lines]
    this.lines.clear()
    for (const line of lines) line.close(code)
  }
}

const ENOUGH = `A session has at most ${MOST_SUBFLOWS} connections beside its first.`
