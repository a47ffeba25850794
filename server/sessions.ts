import { createHash, timingSafeEqual } from 'node:crypto'
import type { TimeSource } from '../src/engine/clock'
import type { FrameFormat, Hello } from '../src/net/messages'
import { type Connection, refusal } from './connection'
import type { Engine } from './engine'
import type { Meters } from './meters'
import { ResumeTokens } from './resume-tokens'
import type { Scheduler } from './scheduler'
import { Session } from './session'

export interface SessionsOptions {
  readonly engine: Engine
  readonly scheduler: Scheduler
  readonly time: TimeSource
  readonly meters: Meters
  /** Seats. More clients wait in line. */
  readonly maxSessions: number
  /** What a client must say to get in; null lets everybody in. */
  readonly token: string | null
  readonly onError: (error: unknown) => void
}

/** Clients that may wait for a seat. */
export const LONGEST_LINE = 64

interface Waiting {
  readonly session: Session
  readonly connection: Connection
  readonly hello: Hello
  readonly format: FrameFormat
}

/** All sessions: who is let in, who waits, and who comes back. */
export class Sessions {
  private readonly seated = new Map<string, Session>()
  private readonly tokens = new ResumeTokens()
  private line: Waiting[] = []
  private lastId = 0
  private draining = false

  constructor(private readonly options: SessionsOptions) {}

  get size(): number {
    return this.seated.size
  }

  get waiting(): number {
    return this.line.length
  }

  count(state: 'active' | 'detached'): number {
    return [...this.seated.values()].filter((session) => session.state === state).length
  }

  /** Takes a client in, back, or into the line. Throws an `OneiroError` with a refusal's code. */
  join(connection: Connection, hello: Hello): void {
    if (!this.knows(hello.token)) throw refusal('UNAUTHORIZED')
    if (this.draining) throw refusal('SERVER_DRAINING')
    const format = this.chooseFormat(hello)
    if (hello.resume) {
      this.resume(connection, hello, format, hello.resume)
      return
    }
    if (this.seated.size + this.line.length >= this.options.maxSessions + LONGEST_LINE) {
      throw refusal('SERVER_FULL')
    }
    const session = this.newSession()
    session.wait(connection)
    connection.session = session
    this.line.push({ session, connection, hello, format })
    this.admit()
  }

  /** The client has said something: it has its newest token. */
  heard(session: Session): void {
    this.tokens.confirm(session.id)
  }

  sweep(nowMs: number): void {
    for (const session of this.seated.values()) session.sweep(nowMs)
  }

  /** Tells every client where its drive is, and ends its session. Nobody is let in any more. */
  async drain(): Promise<void> {
    this.draining = true
    for (const { session } of [...this.line]) session.end('ended', 'SERVER_DRAINING')
    await Promise.all(
      [...this.seated.values()].map(async (session) => {
        try {
          const body = await session.snapshot()
          if (body) session.send({ type: 'state', request: 0, body })
        } catch (error) {
          this.options.onError(error)
        }
        session.end('ended', 'SERVER_DRAINING')
      }),
    )
  }

  private resume(connection: Connection, hello: Hello, format: FrameFormat, token: string): void {
    const session = this.seated.get(this.tokens.find(token) ?? '')
    if (!session) throw refusal('SESSION_GONE')
    const resume = this.tokens.rotate(session.id, token)
    connection.session = session
    this.welcome({ session, connection, hello, format }, resume, true)
  }

  private welcome({ session, connection, hello, format }: Waiting, resume: string, resumed: boolean): void {
    session.attach(connection, hello, format)
    session.send({ type: 'welcome', body: { ...this.options.engine.served, format, resume, resumed } })
  }

  /** Gives free seats to the head of the line, and tells the others where they are. */
  private admit(): void {
    let moved = false
    while (this.line.length > 0 && this.seated.size < this.options.maxSessions && !this.draining) {
      const next = this.line.shift()!
      const { id } = next.session
      this.seated.set(id, next.session)
      this.welcome(next, this.tokens.rotate(id), false)
      moved = true
    }
    const last = this.line.length - 1
    for (const [i, { session }] of this.line.entries()) {
      if (moved || i === last) session.send({ type: 'waiting', position: i + 1 })
    }
  }

  private newSession(): Session {
    const { engine, scheduler, time, meters, onError } = this.options
    return new Session({
      ...{ engine, scheduler, time, meters, onError },
      id: `s${++this.lastId}`,
      onState: (session) => {
        if (session.state !== 'closed') return
        const before = this.line.length
        this.line = this.line.filter((waiting) => waiting.session !== session)
        const seat = this.seated.delete(session.id)
        this.tokens.drop(session.id)
        if (seat || this.line.length < before) this.admitNext()
      },
    })
  }

  /** Not at once: the session whose seat this was is still being put away. */
  private admitNext(): void {
    queueMicrotask(() => this.admit())
  }

  private chooseFormat({ formats, decoderHash }: Hello): FrameFormat {
    const { modelHash } = this.options.engine.served.world
    const format = formats.find((one) => one !== 'latents' || decoderHash === modelHash)
    if (!format) throw refusal('NO_COMMON_FORMAT')
    return format
  }

  /** Compares hashes, so that the time it takes says nothing about the token. */
  private knows(token: string | undefined): boolean {
    if (this.options.token === null) return true
    const hash = (text: string) => createHash('sha256').update(text).digest()
    return timingSafeEqual(hash(token ?? ''), hash(this.options.token))
  }
}
