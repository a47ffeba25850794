import { randomBytes } from 'node:crypto'
import type { TimeSource } from '../../src/engine/clock'
import { type Elsewhere, MOST_WORKERS } from '../../src/net/protocol/messages'
import type { Meters } from '../monitoring/meters'
import type { Log } from '../monitoring/rated-log'
import { ElsewhereError, refusal } from '../session/connection'
import { encodeSaved, type Saved } from '../session/saved'
import type { Session } from '../session/session'
import { hash } from '../session/session-tokens'
import {
  type Claim,
  type Entry,
  type SessionDirectory,
  SILENT_WORKER_MS,
  type Worker,
  type WorkerState,
} from './directory'
import { MemoryDirectory } from './memory-directory'

/** A worker says so often that it lives. */
export const BEAT_MS = 400
/** A session's snapshot is written so often: with the way to the directory, none is older than a second. */
export const KEEP_MS = 2 * BEAT_MS
/** After so long all workers have told a directory that was away what they have. */
const RECOVERY_MS = 2_000
const DOUBT_STEP_MS = 150

export interface GroupOptions {
  readonly time: TimeSource
  readonly meters: Meters
  readonly log: Log
  /** Slots that are free as far as this worker knows. */
  readonly free: () => number
  /** Hashes of what opens a session, and of what shows it. */
  readonly keysOf: (session: string) => Pick<Entry, 'keys' | 'watch'>
  /** Another worker has taken this session up. */
  readonly onLost: (session: Session) => void
  /** The other workers, or what they have reserved here, may have changed. */
  readonly onBeat: () => void
}

/** A session as the directory has it. */
interface Member {
  readonly session: Session
  readonly id: string
  readonly generation: number
  /** `changes` of the session when it was written; -1 where it must be written. */
  written: number
  writing: boolean
  again: boolean
}

export type Claimed = Extract<Claim, { is: 'claimed' }>

/**
 * This worker among the others. Nobody who plays waits for the directory: what is written, is written beside play, and
 * while the directory is away the sessions go on and are told to it again when it is back.
 */
export class Cluster {
  /** Slots that others have reserved here. */
  reserved = 0
  /** Addresses of the other workers that take sessions up. */
  urls: readonly string[] = []
  private directory: SessionDirectory = new MemoryDirectory({ id: 'alone', url: '', slots: 0 })
  private me: Worker | null = null
  private living: readonly WorkerState[] = []
  private readonly members = new Map<string, Member>()
  private readonly stopping = new AbortController()
  private beating = false
  /** Null before the first beat. */
  private up: boolean | null = null
  private upSinceMs = 0
  /** A session could not be written down, and that was logged. */
  private failing = false

  constructor(private readonly options: GroupOptions) {}

  /** Whether there can be others. */
  get shared(): boolean {
    return this.directory.shared
  }

  /** Begins. Resolves after the first beat, whether the directory answered or not. */
  async enter(directory: SessionDirectory, me: Worker): Promise<void> {
    this.directory = directory
    this.me = me
    if (!directory.shared) return
    await this.beat()
    void this.run()
  }

  /** A session that begins here, or that was claimed. */
  add(session: Session, claimed?: Claimed): void {
    if (!this.shared) return
    const id = claimed?.id ?? randomBytes(12).toString('base64url')
    const generation = claimed?.generation ?? 0
    this.members.set(session.id, {
      ...{ session, id, generation, written: -1, writing: false, again: false },
    })
    if (claimed) this.options.meters.takenUp.inc()
    this.write(session)
  }

  /** Its keys or its beginning changed: the directory knows at once. */
  write(session: Session): void {
    const member = this.members.get(session.id)
    if (member) void this.keep(member)
  }

  /** A session has ended. */
  remove(session: Session): void {
    const member = this.members.get(session.id)
    this.members.delete(session.id)
    // One that is being written down is forgotten after that.
    if (member && !member.writing) void this.forget(member)
  }

  /** Gives a session up to whoever is asked for it next. Never rejects. */
  async release(session: Session, saved: Saved): Promise<void> {
    const member = this.members.get(session.id)
    this.members.delete(session.id)
    if (!member) return
    try {
      await this.directory.keep({ ...this.entry(member), saved: encodeSaved(saved), released: true })
    } catch {
      this.options.meters.snapshotFailures.inc()
    }
  }

  /** A seat on another worker; null where there is none, or where it cannot be known now. */
  async reserve(): Promise<Elsewhere | null> {
    const seat = randomBytes(32).toString('base64url')
    const reservation = await this.directory.reserve(hash(seat)).catch(() => null)
    return reservation && { ...reservation, seat }
  }

  /** True, once, for a seat that another worker reserved here. */
  async redeem(seat: string): Promise<boolean> {
    const redeemed = await this.answer(this.directory.redeem(hash(seat)))
    if (redeemed) this.reserved = Math.max(0, this.reserved - 1)
    return redeemed
  }

  /** Where a session that is not here can be watched. Throws a refusal where it cannot be, or not now. */
  async locate(watch: string): Promise<Elsewhere> {
    const place = await this.answer(this.directory.locate(hash(watch)))
    if (!place) throw this.unknown()
    if (place.url === null) throw refusal('TRY_LATER')
    return { url: place.url }
  }

  /** Takes up the session that this token opens. Throws a refusal where it is elsewhere, gone, or not known now. */
  async claim(token: string): Promise<Claimed> {
    const { time } = this.options
    const untilMs = time.now() + SILENT_WORKER_MS
    for (;;) {
      const claim = await this.answer(this.directory.claim(hash(token)))
      if (claim.is === 'claimed') return claim
      if (claim.is === 'unknown') throw this.unknown()
      // Its worker may be dying. Certainty is near, and the client would only come again.
      if (!claim.doubtful || time.now() >= untilMs) {
        throw new ElsewhereError('SESSION_MOVED', { url: claim.url })
      }
      await time.sleep(DOUBT_STEP_MS, this.stopping.signal)
      if (this.stopping.signal.aborted) throw refusal('SERVER_DRAINING')
    }
  }

  /** Another worker with room, for a session that this one has none for. */
  emptiest(): Elsewhere | null {
    const best = this.others()
      .filter(({ free }) => free > 0)
      .sort((a, b) => b.free - a.free)[0]
    return best ? { url: best.url } : null
  }

  /** From now on nobody is sent here. Never rejects. */
  async drain(): Promise<void> {
    await this.directory.drain().catch(() => {})
  }

  /** Leaves. Sessions that were not released can be claimed from now on. */
  async close(): Promise<void> {
    this.stopping.abort()
    await this.directory.close()
  }

  private async run(): Promise<void> {
    const { time } = this.options
    const { signal } = this.stopping
    for (let beats = 1; !signal.aborted; beats++) {
      await time.sleep(BEAT_MS, signal)
      if (signal.aborted) return
      void this.beat()
      if (beats % (KEEP_MS / BEAT_MS) === 0)
        for (const member of this.members.values()) void this.keep(member)
    }
  }

  private async beat(): Promise<void> {
    if (this.beating) return
    this.beating = true
    try {
      this.reserved = await this.directory.heartbeat({ free: this.options.free() })
      this.living = await this.directory.list()
      this.found(true)
      this.urls = this.others()
        .map(({ url }) => url)
        .slice(0, MOST_WORKERS)
      this.options.meters.workers.set(this.urls.length)
      if (!this.stopping.signal.aborted) this.options.onBeat()
    } catch (error) {
      this.found(false, error)
    } finally {
      this.beating = false
    }
  }

  /** Beginning behind this one, so that not all workers send their clients to the same few. */
  private others(): WorkerState[] {
    const { id, url } = this.me!
    const rank = (other: WorkerState) => (other.id > id ? `0${other.id}` : `1${other.id}`)
    return this.living
      .filter((other) => other.id !== id && other.url !== url && !other.draining)
      .sort((a, b) => (rank(a) < rank(b) ? -1 : 1))
  }

  private found(up: boolean, error?: unknown): void {
    const { log, meters, time } = this.options
    if (up === this.up) return
    if (up) {
      this.upSinceMs = this.up === null ? Number.NEGATIVE_INFINITY : time.now()
      log.info({}, 'the directory of sessions is there')
    } else {
      log.warn(
        { why: whyOf(error) },
        'the directory of sessions is away; play goes on, and it is tried for again',
      )
    }
    this.up = up
    meters.directoryUp.set(up ? 1 : 0)
  }

  /** An answer that a client waits for. */
  private async answer<Value>(asked: Promise<Value>): Promise<Value> {
    try {
      return await asked
    } catch {
      throw refusal('TRY_LATER')
    }
  }

  /** A directory that was away may not have been told yet. */
  private unknown(): Error {
    const settled = this.up && this.options.time.now() - this.upSinceMs >= RECOVERY_MS
    return refusal(settled ? 'SESSION_GONE' : 'TRY_LATER')
  }

  private entry({ session, id, generation }: Member) {
    return { id, generation, ...this.options.keysOf(session.id) }
  }

  private async keep(member: Member): Promise<void> {
    member.again = member.writing
    if (member.writing) return
    member.writing = true
    const { session } = member
    const { changes } = session
    const { meters, log, onLost } = this.options
    const isNew = changes !== member.written
    try {
      const saved = isNew ? encodeSaved(await session.saved()) : null
      if (!this.has(member)) throw new Error('it ended meanwhile')
      const keeping = await this.directory.keep({ ...this.entry(member), saved })
      member.written = keeping === 'bare' ? -1 : changes
      this.failing = false
      if (saved) {
        meters.snapshotWrites.inc()
        meters.snapshotBytes.inc(saved.length)
      }
      if (keeping === 'lost' && this.has(member)) {
        this.members.delete(session.id)
        meters.lost.inc()
        onLost(session)
      }
    } catch (error) {
      if (isNew && this.has(member)) meters.snapshotFailures.inc()
      // That the directory is away is said by the beat. Each is said once.
      if (this.up && !this.failing && this.has(member)) {
        this.failing = true
        log.warn({ why: whyOf(error) }, 'a session could not be written down')
      }
    }
    member.writing = false
    if (!this.has(member)) void this.forget(member)
    else if (member.again) void this.keep(member)
  }

  private has(member: Member): boolean {
    return this.members.get(member.session.id) === member
  }

  private async forget({ id }: Member): Promise<void> {
    // What cannot be forgotten now is, by itself, a minute after its last beat.
    await this.directory.forget(id).catch(() => {})
  }
}

/** Without its cause: that may name the command, and with it what was written. */
function whyOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
