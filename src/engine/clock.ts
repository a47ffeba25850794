import { BadInputError } from './errors'

/**
 * Where pacing reads time. Milliseconds on a monotonic clock with an arbitrary zero; tests put in their own.
 */
export interface TimeSource {
  /** Monotonic milliseconds. */
  now(): number
  /** Resolves after `ms` milliseconds, or at once when the signal aborts. Never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

/** The machine's own monotonic clock and timers. */
export const systemTime: TimeSource = {
  now: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve()
      const done = () => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', done)
        resolve()
      }
      const timer = setTimeout(done, ms)
      signal?.addEventListener('abort', done)
    }),
}

/** When one tick was due and when it began. */
export interface Pace {
  /** When the schedule wanted the tick to begin, monotonic milliseconds. */
  readonly dueAtMs: number
  /** When it began: the newest input is sampled right after, monotonic milliseconds. */
  readonly startedAtMs: number
  /** True where the tick before was still being computed when this one was due at the nominal rate. */
  readonly late: boolean
}

/** What the realtime clock knows about itself. */
export interface ClockStats {
  /** Ticks begun since the clock was made. */
  readonly ticks: number
  /** How many of them were late. */
  readonly lateTicks: number
  /** Real time that the schedule gave up rather than queue ticks, milliseconds. */
  readonly droppedMs: number
  /** Smoothed time from the beginning of one tick to the beginning of the next, milliseconds; 0 before two ticks. */
  readonly intervalMs: number
  /** Smoothed time a tick takes to compute, milliseconds. */
  readonly costMs: number
  /** World seconds per real second, at most about 1; below 1 the world runs in slow motion. */
  readonly speed: number
  /** True while the device cannot hold the nominal rate and world time is slowed. */
  readonly slowed: boolean
}

/** Time waits for the caller: every tick is one call of `Loop.step`. For agents, tests and evaluation. */
export class LockstepClock {
  readonly mode = 'lockstep'
  readonly time: TimeSource
  constructor(time: TimeSource = systemTime) {
    this.time = time
  }
}

const SMOOTHING = 1 / 8

/**
 * A fixed rate in real time.
 *
 * Lateness below one period is made up for, so that an uneven device still holds the rate. A whole period of lateness is
 * dropped, so ticks never queue. If ticks cost more than a period on average, the period itself is stretched to what they
 * cost: world time slows, evenly, and `stats().slowed` says so.
 */
export class RealtimeClock {
  readonly mode = 'realtime'
  /** Period at the nominal rate, milliseconds. */
  readonly periodMs: number
  readonly time: TimeSource

  private dueAtMs: number | null = null
  private startedAtMs = 0
  private costMs = 0
  private deviationMs = 0
  private intervalMs = 0
  private slowed = false
  private ticks = 0
  private lateTicks = 0
  private droppedMs = 0

  /** Throws `BadInputError` unless the rate is a positive number. */
  constructor(ticksPerSecond: number, time: TimeSource = systemTime) {
    if (!(ticksPerSecond > 0 && ticksPerSecond < Number.POSITIVE_INFINITY)) {
      throw new BadInputError(`A rate is a positive number of ticks per second, but ${ticksPerSecond} came.`)
    }
    this.periodMs = 1000 / ticksPerSecond
    this.time = time
  }

  /** Begin the schedule anew with the next tick; what passed meanwhile (a pause, a reset) is not lateness. */
  restart(): void {
    this.dueAtMs = null
  }

  /** Waits until the next tick is due. Null where the signal aborted first. One call at a time. */
  async next(signal?: AbortSignal): Promise<Pace | null> {
    if (signal?.aborted) return null
    const askedAtMs = this.time.now()
    const previousDueAtMs = this.dueAtMs
    let dueAtMs = askedAtMs
    let late = false
    if (previousDueAtMs !== null) {
      this.observeCost(askedAtMs - this.startedAtMs)
      late = askedAtMs > previousDueAtMs + this.periodMs
      const periodMs = this.slowed ? Math.max(this.periodMs, this.costMs + this.deviationMs) : this.periodMs
      dueAtMs = previousDueAtMs + periodMs
      if (askedAtMs - dueAtMs >= this.periodMs) {
        this.droppedMs += askedAtMs - dueAtMs
        dueAtMs = askedAtMs
      }
    }
    if (dueAtMs > askedAtMs) await this.time.sleep(dueAtMs - askedAtMs, signal)
    if (signal?.aborted) return null
    const startedAtMs = this.time.now()
    if (previousDueAtMs !== null) {
      const intervalMs = startedAtMs - this.startedAtMs
      this.intervalMs += (intervalMs - this.intervalMs) * (this.intervalMs === 0 ? 1 : SMOOTHING)
    }
    this.dueAtMs = dueAtMs
    this.startedAtMs = startedAtMs
    this.ticks++
    if (late) this.lateTicks++
    return { dueAtMs, startedAtMs, late }
  }

  stats(): ClockStats {
    return {
      ticks: this.ticks,
      lateTicks: this.lateTicks,
      droppedMs: this.droppedMs,
      intervalMs: this.intervalMs,
      costMs: this.costMs,
      speed: this.intervalMs === 0 ? 1 : this.periodMs / this.intervalMs,
      slowed: this.slowed,
    }
  }

  private observeCost(costMs: number): void {
    // One long stall (a tab in the background) is no sign of what ticks cost.
    const sampleMs = Math.min(costMs, 4 * Math.max(this.periodMs, this.costMs))
    this.deviationMs += (Math.abs(sampleMs - this.costMs) - this.deviationMs) * SMOOTHING
    this.costMs += (sampleMs - this.costMs) * SMOOTHING
    // The gap between entering and leaving keeps a device at the edge from flickering between the two.
    this.slowed = this.costMs > this.periodMs * (this.slowed ? 0.9 : 1)
  }
}

export type Clock = LockstepClock | RealtimeClock
