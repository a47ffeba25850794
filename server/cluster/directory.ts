/** A worker that was silent for so long is dead. */
export const SILENT_WORKER_MS = 2_000
/** After so long a silence it may be dead, and who asks for one of its sessions is asked to wait for certainty. */
export const DOUBT_MS = 750
/** What is kept of a session is forgotten so long after it was last heard of: as long as its client tries to come back. */
export const KEPT_MS = 60_000

/** One worker as the directory knows it; `id` is another one after every start. */
export interface Worker {
  readonly id: string
  /** Where clients reach it, `ws://` or `wss://`. */
  readonly url: string
  /** Sessions that it has room for. */
  readonly slots: number
}

/** What a worker says of itself. */
export interface Beat {
  /** Slots that are neither taken nor kept for anybody whom this worker knows of. */
  readonly free: number
}

export interface WorkerState extends Worker {
  readonly free: number
  readonly draining: boolean
}

/** What is kept of a session. Only hashes of its keys are ever told. */
export interface Entry {
  /** The session's name among all workers. */
  readonly id: string
  /** Grows with every worker that takes the session up; who has an older one has lost it. */
  readonly generation: number
  /** Hashes of what opens it: its newest token, and the one before while that is good. */
  readonly keys: readonly string[]
  /** Hash of what shows it to spectators. */
  readonly watch: string
  /** Where it is, as `saved.ts` packs it. Null leaves what is there. */
  readonly saved: Uint8Array | null
  /** The worker gives it up: whoever is asked for it next may have it at once. */
  readonly released?: boolean
}

/** `lost`: another worker has the session now. `bare`: it is known, but no snapshot of it is there. */
export type Keeping = 'kept' | 'bare' | 'lost'

export type Claim =
  /** It is this worker's from now on. */
  | {
      readonly is: 'claimed'
      readonly id: string
      readonly generation: number
      readonly watch: string
      readonly saved: Uint8Array | null
    }
  /** It lives on another worker. `doubtful` where that was silent for longer than `DOUBT_MS`. */
  | { readonly is: 'elsewhere'; readonly url: string; readonly doubtful: boolean }
  /** No session has this key. */
  | { readonly is: 'unknown' }

/** A seat on another worker. */
export interface Reservation {
  readonly url: string
}

/**
 * What the workers of a group know of each other: who is alive and has room, which session is where, and one snapshot of
 * each. Seen from one worker. Every call may reject where the directory cannot be reached; none waits for long.
 */
export interface SessionDirectory {
  /** Whether there can be other workers. Where there are none, nothing needs to be kept for them. */
  readonly shared: boolean
  /** This worker lives. Resolves with how many of its slots others have reserved for clients that have yet to come. */
  heartbeat(beat: Beat): Promise<number>
  /** The workers that live, this one too. */
  list(): Promise<readonly WorkerState[]>
  /** Takes a slot of the other worker that has most of them free, for whoever brings this seat within 30 s. */
  reserve(seat: string): Promise<Reservation | null>
  /** True, once, for a seat that another worker reserved here. Both take a hash. */
  redeem(seat: string): Promise<boolean>
  /** Where the session is that this hash of a key lets watch: `url` is null while no living worker has it. */
  locate(watch: string): Promise<{ readonly url: string | null } | null>
  /** Takes up the session that this hash of a token opens, if its worker is dead or has given it up. One worker wins. */
  claim(key: string): Promise<Claim>
  /** Writes down a session of this worker, and where it is. */
  keep(entry: Entry): Promise<Keeping>
  /** A session of this worker has ended. */
  forget(id: string): Promise<void>
  /** From now on nobody is sent here. */
  drain(): Promise<void>
  /** This worker is gone, which every other may know at once. Idempotent. */
  close(): Promise<void>
}
