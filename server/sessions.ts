import type { TimeSource } from '../src/engine/clock'
import type { FrameFormat, Hello } from '../src/net/messages'
import { encodeServer } from '../src/net/wire'
import { type Connection, type Guest, refusal } from './connection'
import type { Engine } from './engine'
import type { Meters } from './meters'
import type { Scheduler } from './scheduler'
import { Seats } from './seats'
import type { Secret } from './secret'
import { Session } from './session'
import { SessionTokens } from './session-tokens'
import { Spectator } from './spectator'

export interface SessionsOptions {
  readonly engine: Engine
  readonly scheduler: Scheduler
  readonly time: TimeSource
  readonly meters: Meters
  /** Seats. More clients wait in line. */
  readonly maxSessions: number
  /** Those who may watch, all sessions together. They take no seat. */
  readonly maxSpectators: number
  /** What a client must know to get in. */
  readonly secret: Secret
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

/** All sessions: who is let in, who waits, who comes back, and who watches. */
export class Sessions {
  private readonly seated = new Map<string, Session>()
  private readonly tokens = new SessionTokens()
  private readonly watchKeys = new SessionTokens()
  private readonly seats = new Seats()
  private readonly spectators = new Set<Spectator>()
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

  /** Seats that are kept for who has not come yet. */
  get kept(): number {
    return this.seats.size
  }

  get watching(): number {
    return this.spectators.size
  }

  count(state: 'active' | 'detached'): number {
    return [...this.seated.values()].filter((session) => session.state === state).length
  }

  /** Takes a client in, back, or into the line. Throws an `OneiroError` with a refusal's code. */
  join(connection: Connection, hello: Hello): void {
    // Each of these is a key of its own; who has none of them must know the server's token.
    if (hello.watch !== undefined) this.watch(connection, hello, hello.watch)
    else if (hello.resume !== undefined) this.resume(connection, hello, hello.resume)
    else if (hello.seat !== undefined) this.sit(connection, hello, hello.seat)
    else this.queue(connection, hello)
  }

  /** Keeps a free seat for a while. Its token lets whoever brings it in, once. Throws as `join` does. */
  keepSeat(): string {
    if (this.draining) throw refusal('SERVER_DRAINING')
    if (this.free <= 0 || this.line.length > 0) {
      throw refusal('SERVER_FULL', 'No seat is free that could be kept. Ask again later.')
    }
    return this.seats.keep(this.options.time.now())
  }

  /** The client has said something: it has its newest token. */
  heard(guest: Guest): void {
    if (guest instanceof Session) this.tokens.confirm(guest.id)
  }

  sweep(nowMs: number): void {
    for (const session of this.seated.values()) session.sweep(nowMs)
    if (this.seats.expire(nowMs)) this.admit()
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

  /** Seats that nobody has and that are kept for nobody. */
  private get free(): number {
    return this.options.maxSessions - this.seated.size - this.seats.size
  }

  private queue(connection: Connection, hello: Hello): void {
    if (!this.options.secret.isKnownBy(hello.token)) throw refusal('UNAUTHORIZED')
    const format = this.formatFor(hello)
    if (this.free <= 0 && this.line.length >= LONGEST_LINE) throw refusal('SERVER_FULL')
    this.line.push(this.newcomer(connection, hello, format))
    this.admit()
  }

  private sit(connection: Connection, hello: Hello, seat: string): void {
    if (!this.seats.has(seat, this.options.time.now())) throw refusal('SEAT_GONE')
    const format = this.formatFor(hello)
    this.seats.take(seat)
    this.admitOne(this.newcomer(connection, hello, format))
  }

  private resume(connection: Connection, hello: Hello, token: string): void {
    const session = this.seated.get(this.tokens.find(token) ?? '')
    if (!session) throw refusal('SESSION_GONE')
    const format = this.formatFor(hello)
    const resume = this.tokens.rotate(session.id, token)
    connection.guest = session
    session.attach(connection, hello, format)
    session.send({ type: 'welcome', body: { ...this.options.engine.served, format, resume, resumed: true } })
  }

  private watch(connection: Connection, hello: Hello, key: string): void {
    const { meters, maxSpectators, engine, secret } = this.options
    // Ids can be guessed, so they are for those who know the token.
    const id = this.watchKeys.find(key) ?? (secret.isKnownBy(hello.token) ? key : '')
    const session = this.seated.get(id)
    if (!session) throw refusal('SESSION_GONE')
    const format = this.formatFor(hello)
    if (this.spectators.size >= maxSpectators) throw refusal('SERVER_FULL', NO_ROOM_TO_WATCH)
    const onGone = (gone: Spectator) => {
      this.spectators.delete(gone)
      session.unwatch(gone)
    }
    const spectator = new Spectator({ id, line: connection, format, meters, onGone })
    this.spectators.add(spectator)
    connection.guest = spectator
    connection.send(encodeServer({ type: 'welcome', body: { ...engine.served, format, resumed: false } }))
    session.watch(spectator)
  }

  private newcomer(connection: Connection, hello: Hello, format: FrameFormat): Waiting {
    const session = this.newSession()
    session.wait(connection)
    connection.guest = session
    return { session, connection, hello, format }
  }

  private admitOne({ session, connection, hello, format }: Waiting): void {
    this.seated.set(session.id, session)
    session.attach(connection, hello, format)
    const resume = this.tokens.rotate(session.id)
    const watch = this.watchKeys.rotate(session.id)
    const body = { ...this.options.engine.served, format, resume, watch, resumed: false }
    session.send({ type: 'welcome', body })
  }

  /** Gives free seats to the head of the line, and tells the others where they are. */
  private admit(): void {
    let moved = false
    while (this.line.length > 0 && this.free > 0 && !this.draining) {
      this.admitOne(this.line.shift()!)
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
        this.watchKeys.drop(session.id)
        if (seat || this.line.length < before) this.admitNext()
      },
    })
  }

  /** Not at once: the session whose seat this was is still being put away. */
  private admitNext(): void {
    queueMicrotask(() => this.admit())
  }

  /** The last check of a hello, so that a stranger learns no more than that it is one. */
  private formatFor({ formats, decoderHash }: Hello): FrameFormat {
    if (this.draining) throw refusal('SERVER_DRAINING')
    const { modelHash } = this.options.engine.served.world
    const format = formats.find((one) => one !== 'latents' || decoderHash === modelHash)
    if (!format) throw refusal('NO_COMMON_FORMAT')
    return format
  }
}

const NO_ROOM_TO_WATCH = 'As many watch here as may. Try again later.'
