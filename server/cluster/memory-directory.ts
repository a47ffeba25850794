import { systemTime, type TimeSource } from '../../src/engine/clock'
import { SEAT_MS } from '../session/reservations'
import {
  type Beat,
  type Claim,
  DOUBT_MS,
  type Entry,
  KEPT_MS,
  type Keeping,
  type Reservation,
  type SessionDirectory,
  SILENT_WORKER_MS,
  type Worker,
  type WorkerState,
} from './directory'

interface Known {
  readonly worker: Worker
  free: number
  draining: boolean
  beatAtMs: number
  /** When each reserved seat is given up, by its hash. */
  readonly reserved: Map<string, number>
}

interface Kept {
  owner: string | null
  entry: Entry
  saved: Uint8Array | null
  untilMs: number
}

/** What workers in one process share. */
export class MemoryStore {
  readonly workers = new Map<string, Known>()
  readonly sessions = new Map<string, Kept>()

  constructor(readonly time: TimeSource = systemTime) {}

  silentMs(id: string): number {
    return this.time.now() - (this.workers.get(id)?.beatAtMs ?? Number.NEGATIVE_INFINITY)
  }

  alive(id: string): boolean {
    return this.silentMs(id) < SILENT_WORKER_MS
  }

  /** Of sessions that are not forgotten yet. */
  find(fits: (entry: Entry) => boolean): Kept | undefined {
    const nowMs = this.time.now()
    for (const [id, { untilMs }] of this.sessions) if (nowMs >= untilMs) this.sessions.delete(id)
    return [...this.sessions.values()].find(({ entry }) => fits(entry))
  }
}

/** The directory of one process: of a server that is alone, or of several in a test. */
export class MemoryDirectory implements SessionDirectory {
  readonly shared: boolean
  private readonly store: MemoryStore

  /** Without a store the worker is alone. */
  constructor(
    private readonly me: Worker,
    store?: MemoryStore,
  ) {
    this.shared = store !== undefined
    this.store = store ?? new MemoryStore()
  }

  async heartbeat({ free }: Beat): Promise<number> {
    const { workers, time } = this.store
    const nowMs = time.now()
    const { draining = false, reserved = new Map<string, number>() } = workers.get(this.me.id) ?? {}
    for (const [seat, untilMs] of reserved) if (nowMs >= untilMs) reserved.delete(seat)
    const left = free - reserved.size
    workers.set(this.me.id, { worker: this.me, free: left, draining, beatAtMs: nowMs, reserved })
    return reserved.size
  }

  async list(): Promise<readonly WorkerState[]> {
    return [...this.store.workers.values()]
      .filter(({ worker }) => this.store.alive(worker.id))
      .map(({ worker, free, draining }) => ({ ...worker, free, draining }))
  }

  async reserve(seat: string): Promise<Reservation | null> {
    const best = [...this.store.workers.values()]
      .filter(({ worker, draining, free }) => this.isOther(worker) && !draining && free > 0)
      .sort((a, b) => b.free - a.free)[0]
    if (!best) return null
    best.free--
    best.reserved.set(seat, this.store.time.now() + SEAT_MS)
    return { url: best.worker.url }
  }

  async redeem(seat: string): Promise<boolean> {
    const { workers, time } = this.store
    const reserved = workers.get(this.me.id)?.reserved
    const untilMs = reserved?.get(seat) ?? 0
    reserved?.delete(seat)
    return time.now() < untilMs
  }

  async locate(watch: string): Promise<{ url: string | null } | null> {
    const kept = this.store.find((entry) => entry.watch === watch)
    if (!kept) return null
    const known = kept.owner ? this.store.workers.get(kept.owner) : undefined
    return { url: known && this.isOther(known.worker) ? known.worker.url : null }
  }

  async claim(key: string): Promise<Claim> {
    const kept = this.store.find(({ keys }) => keys.includes(key))
    if (!kept) return { is: 'unknown' }
    const known = kept.owner ? this.store.workers.get(kept.owner) : undefined
    if (known && this.isOther(known.worker)) {
      const doubtful = this.store.silentMs(known.worker.id) > DOUBT_MS
      return { is: 'elsewhere', url: known.worker.url, doubtful }
    }
    const generation = kept.entry.generation + 1
    kept.owner = this.me.id
    kept.entry = { ...kept.entry, generation }
    kept.untilMs = this.store.time.now() + KEPT_MS
    const { id, watch } = kept.entry
    return { is: 'claimed', id, generation, watch, saved: kept.saved }
  }

  async keep(entry: Entry): Promise<Keeping> {
    const { sessions, time } = this.store
    const before = this.store.find(({ id }) => id === entry.id)
    if (before && before.owner !== this.me.id && before.entry.generation >= entry.generation) return 'lost'
    const saved = entry.saved ?? before?.saved ?? null
    const owner = entry.released ? null : this.me.id
    sessions.set(entry.id, { owner, entry, saved, untilMs: time.now() + KEPT_MS })
    return saved ? 'kept' : 'bare'
  }

  async forget(id: string): Promise<void> {
    const kept = this.store.sessions.get(id)
    if (kept?.owner === this.me.id) this.store.sessions.delete(id)
  }

  async drain(): Promise<void> {
    const known = this.store.workers.get(this.me.id)
    if (known) known.draining = true
  }

  async close(): Promise<void> {
    this.store.workers.delete(this.me.id)
  }

  /** Another worker that lives. One that has the same address is this one before it was started anew. */
  private isOther({ id, url }: Worker): boolean {
    return id !== this.me.id && url !== this.me.url && this.store.alive(id)
  }
}
