import type { TimeSource } from '../src/engine/clock'
import type { FrameFormat, Hello } from '../src/net/protocol/messages'
import { encodeServer } from '../src/net/protocol/wire'
import { type Claimed, Cluster } from './cluster/cluster'
import type { Engine } from './engine/engine'
import type { Meters } from './monitoring/meters'
import type { Log } from './monitoring/rated-log'
import { type Connection, ElsewhereError, type Peer, refusal } from './session/connection'
import { type KeptSeat, Reservations } from './session/reservations'
import { decodeSaved, NOTHING_SAVED } from './session/saved'
import type { Scheduler } from './session/scheduler'
import type { Secret } from './session/secret'
import { Session } from './session/session'
import { SessionTokens } from './session/session-tokens'
import { Spectator } from './session/spectator'

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
  readonly log: Log
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

/** All sessions: who is let in, who waits, who comes back, who watches, and who goes to another worker or comes from one. */
export class Sessions {
  readonly group: Cluster
  private readonly seated = new Map<string, Session>()
  private readonly tokens = new SessionTokens()
  private readonly watchKeys = new SessionTokens()
  private readonly subflowKeys = new SessionTokens()
  private readonly seats = new Reservations()
  private readonly spectators = new Set<Spectator>()
  private line: Waiting[] = []
  private lastId = 0
  private draining = false
  /** Sessions of other workers that are on their way here. */
  private arriving = 0
  private told: readonly string[] = []

  constructor(private readonly options: SessionsOptions) {
    const { time, meters, log } = options
    this.group = new Cluster({
      ...{ time, meters, log },
      free: () => this.free + this.group.reserved,
      keysOf: (id) => ({ keys: this.tokens.hashes(id), watch: this.watchKeys.hashes(id)[0] ?? '' }),
      onLost: (session) => session.end('ended', 'SESSION_TAKEN'),
      onBeat: () => {
        this.admit()
        this.tellWorkers()
      },
    })
  }

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

  /**
   * Takes a client in, back, or into the line: at once, or after other workers were asked where it is not for this one
   * alone to say. Throws, or rejects with, an `OneiroError` with a refusal's code.
   */
  join(connection: Connection, hello: Hello): void | Promise<void> {
    // Each of these is a key of its own; who has none of them must know the server's token.
    if (hello.watch !== undefined) return this.watch(connection, hello, hello.watch)
    if (hello.subflow !== undefined) return this.branch(connection, hello.subflow)
    if (hello.resume !== undefined) return this.resume(connection, hello, hello.resume)
    if (hello.seat !== undefined) return this.sit(connection, hello, hello.seat)
    return this.queue(connection, hello)
  }

  /** Keeps a free seat for a while, here or elsewhere. Its token lets whoever brings it in, once. Rejects as `join` does. */
  async keepSeat(): Promise<KeptSeat> {
    if (this.draining) throw refusal('SERVER_DRAINING')
    if (this.free > 0 && this.line.length === 0) return { seat: this.seats.keep(this.options.time.now()) }
    const { seat, url } = (await this.group.reserve()) ?? {}
    if (!seat) throw refusal('SERVER_FULL', 'No seat is free that could be kept. Ask again later.')
    return { seat, url }
  }

  /** The client has said something: it has its newest token. */
  confirmToken(peer: Peer): void {
    if (peer instanceof Session) this.tokens.confirm(peer.id)
  }

  sweep(nowMs: number): void {
    for (const session of this.seated.values()) session.sweep(nowMs)
    if (this.seats.expire(nowMs)) this.admit()
  }

  /** Tells every client, and the other workers, where its drive is, and ends its session. Nobody is let in any more. */
  async drain(): Promise<void> {
    this.draining = true
    for (const { session } of [...this.line]) session.end('ended', 'SERVER_DRAINING')
    await Promise.all(
      [...this.seated.values()].map(async (session) => {
        try {
          const saved = await session.savedNow()
          if (saved.snapshot) session.send({ type: 'state', request: 0, body: saved.snapshot })
          await this.group.release(session, saved)
        } catch (error) {
          this.options.onError(error)
        }
        session.end('ended', 'SERVER_DRAINING')
      }),
    )
    await this.group.close()
  }

  /** Seats that nobody has and that are kept for nobody. */
  private get free(): number {
    const { maxSessions } = this.options
    return maxSessions - this.seated.size - this.seats.size - this.arriving - this.group.reserved
  }

  private queue(connection: Connection, hello: Hello): void | Promise<void> {
    if (!this.options.secret.isKnownBy(hello.token)) throw refusal('UNAUTHORIZED')
    const format = this.formatFor(hello)
    if (this.free <= 0 && this.group.shared) return this.sendOn(connection, hello)
    this.enqueue(connection, hello, format)
  }

  /** To a seat on another worker; or else into the line here. */
  private async sendOn(connection: Connection, hello: Hello): Promise<void> {
    const to = await this.group.reserve()
    if (to) throw new ElsewhereError('SEAT_ELSEWHERE', to)
    this.enqueue(connection, hello, this.formatFor(hello))
  }

  private enqueue(connection: Connection, hello: Hello, format: FrameFormat): void {
    if (this.free <= 0 && this.line.length >= LONGEST_LINE) throw refusal('SERVER_FULL')
    this.line.push(this.newcomer(connection, hello, format))
    this.admit()
  }

  private sit(connection: Connection, hello: Hello, seat: string): void | Promise<void> {
    if (!this.seats.has(seat, this.options.time.now())) {
      if (this.group.shared) return this.sitReserved(connection, hello, seat)
      throw refusal('SEAT_GONE')
    }
    const format = this.formatFor(hello)
    this.seats.take(seat)
    this.admitOne(this.newcomer(connection, hello, format))
  }

  /** A seat that another worker reserved: the next that is free, should all be taken meanwhile. */
  private async sitReserved(connection: Connection, hello: Hello, seat: string): Promise<void> {
    if (!(await this.group.redeem(seat))) throw refusal('SEAT_GONE')
    this.line.unshift(this.newcomer(connection, hello, this.formatFor(hello)))
    this.admit()
  }

  private resume(connection: Connection, hello: Hello, token: string): void | Promise<void> {
    const session = this.seated.get(this.tokens.find(token) ?? '')
    if (session) this.goOn(session, connection, hello, token)
    else if (this.group.shared) return this.failover(connection, hello, token)
    else throw refusal('SESSION_GONE')
  }

  private goOn(session: Session, connection: Connection, hello: Hello, token: string, epoch?: number): void {
    const format = this.formatFor(hello)
    const resume = this.tokens.rotate(session.id, token)
    connection.peer = session
    session.attach(connection, hello, format)
    const subflow = this.subflowKeys.rotate(session.id)
    const body = { ...this.options.engine.served, format, resume, subflow, resumed: true }
    session.send({ type: 'welcome', body: epoch === undefined ? body : { ...body, epoch } })
    this.tellWorkersTo(session)
    this.group.write(session)
  }

  /** A session that another worker had. */
  private async failover(connection: Connection, hello: Hello, token: string): Promise<void> {
    this.formatFor(hello)
    if (this.free <= 0) {
      const to = this.group.emptiest()
      throw to ? new ElsewhereError('SESSION_MOVED', to) : refusal('SERVER_FULL')
    }
    this.arriving++
    const claimed = await this.group.claim(token).finally(() => this.arriving--)
    // Its client may have come twice while the others were asked.
    const here = this.seated.get(this.tokens.find(token) ?? '')
    if (here) this.goOn(here, connection, hello, token)
    else this.begin(claimed, connection, hello, token)
  }

  private begin(claimed: Claimed, connection: Connection, hello: Hello, token: string): void {
    this.formatFor(hello)
    const saved = claimed.saved ? decodeSaved(claimed.saved) : NOTHING_SAVED
    const session = this.newSession()
    this.seated.set(session.id, session)
    this.watchKeys.adopt(session.id, claimed.watch)
    this.goOn(session, connection, hello, token, saved.epoch)
    session.failover(saved)
    this.group.add(session, claimed)
  }

  /** A further connection of a session that is played here. */
  private branch(connection: Connection, key: string): void {
    const session = this.seated.get(this.subflowKeys.find(key) ?? '')
    if (session?.state !== 'active') throw refusal('SESSION_GONE')
    const { subflow, format } = session.branch(connection)
    connection.peer = subflow
    const body = { ...this.options.engine.served, format, resumed: false }
    connection.send(encodeServer({ type: 'welcome', body }))
  }

  private watch(connection: Connection, hello: Hello, key: string): void | Promise<void> {
    const { meters, maxSpectators, engine, secret } = this.options
    // Ids can be guessed, so they are for those who know the token.
    const id = this.watchKeys.find(key) ?? (secret.isKnownBy(hello.token) ? key : '')
    const session = this.seated.get(id)
    if (!session && this.group.shared) return this.watchElsewhere(key)
    if (!session) throw refusal('SESSION_GONE')
    const format = this.formatFor(hello)
    if (this.spectators.size >= maxSpectators) throw refusal('SERVER_FULL', NO_ROOM_TO_WATCH)
    const onGone = (gone: Spectator) => {
      this.spectators.delete(gone)
      session.unwatch(gone)
    }
    const spectator = new Spectator({ id, line: connection, format, meters, onGone })
    this.spectators.add(spectator)
    connection.peer = spectator
    connection.send(encodeServer({ type: 'welcome', body: { ...engine.served, format, resumed: false } }))
    this.tellWorkersTo(spectator)
    session.watch(spectator)
  }

  private async watchElsewhere(key: string): Promise<never> {
    throw new ElsewhereError('SESSION_MOVED', await this.group.locate(key))
  }

  private newcomer(connection: Connection, hello: Hello, format: FrameFormat): Waiting {
    const session = this.newSession()
    session.wait(connection)
    connection.peer = session
    return { session, connection, hello, format }
  }

  private admitOne({ session, connection, hello, format }: Waiting): void {
    this.seated.set(session.id, session)
    session.attach(connection, hello, format)
    const resume = this.tokens.rotate(session.id)
    const watch = this.watchKeys.rotate(session.id)
    const subflow = this.subflowKeys.rotate(session.id)
    const body = { ...this.options.engine.served, format, resume, watch, subflow, resumed: false }
    session.send({ type: 'welcome', body })
    this.tellWorkersTo(session)
    this.group.add(session)
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

  private tellWorkers(): void {
    const { urls } = this.group
    if (urls.join() === this.told.join()) return
    this.told = urls
    for (const peer of [...this.seated.values(), ...this.spectators]) this.tellWorkersTo(peer, true)
  }

  /** Where this peer may go when this worker is gone. */
  private tellWorkersTo(peer: Session | Spectator, changed = false): void {
    const { urls } = this.group
    if (changed || urls.length > 0) peer.send({ type: 'workers', body: { urls: [...urls] } })
  }

  private newSession(): Session {
    const { engine, scheduler, time, meters, onError } = this.options
    return new Session({
      ...{ engine, scheduler, time, meters, onError },
      id: `s${++this.lastId}`,
      onBegun: (session) => this.group.write(session),
      onState: (session) => {
        if (session.state !== 'closed') return
        // What a draining worker did not give up is still there for others, once this one is gone.
        if (!this.draining) this.group.remove(session)
        const before = this.line.length
        this.line = this.line.filter((waiting) => waiting.session !== session)
        const seat = this.seated.delete(session.id)
        this.tokens.drop(session.id)
        this.watchKeys.drop(session.id)
        this.subflowKeys.drop(session.id)
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
