import type { FrameMessage } from '../protocol/messages'

export interface PacerStats {
  /** Frames of realtime play that came. */
  readonly arrivals: number
  /** Frames that a newer one overtook before they were shown. */
  readonly late: number
  /** Frames of an older epoch, or not newer than what was shown. */
  readonly stale: number
  /** Times that the last frame had to be held, because the next was not there in time. */
  readonly held: number
  /** Pauses after which the moving average began anew. */
  readonly gaps: number
  /** Moving average of the time between arrivals, milliseconds; 0 before two frames. */
  readonly intervalMs: number
}

interface Taker {
  readonly sinceMs: number
  resolve(frame: FrameMessage): void
  reject(error: Error): void
}

const SMOOTHING = 1 / 8
/** An interval of so many usual ones is a gap, and says nothing about the rate. */
const GAP = 4
/** A frame that is this much later than usual is held for. */
const PATIENCE = 1.5

/**
 * Frames as they come to frames as they are shown: the newest one that nobody has seen, or else the next to come. At most
 * one frame waits, so what is shown is never older than one interval.
 */
export class Pacer {
  private newest: FrameMessage | null = null
  private takers: Taker[] = []
  private lastAtMs: number | null = null
  private shownTick = -1
  private arrivals = 0
  private late = 0
  private stale = 0
  private held = 0
  private gaps = 0
  private intervalMs = 0

  get stats(): PacerStats {
    const { arrivals, late, stale, held, gaps, intervalMs } = this
    return { arrivals, late, stale, held, gaps, intervalMs }
  }

  /** Someone waits for a frame. */
  get awaited(): boolean {
    return this.takers.length > 0
  }

  /** A frame came at `nowMs`; `epoch` is the one that is played now. */
  arrived(frame: FrameMessage, epoch: number, nowMs: number): void {
    this.arrivals++
    this.observe(nowMs)
    if (frame.epoch !== epoch || frame.tick <= this.shownTick) {
      this.stale++
      return
    }
    const taker = this.takers.shift()
    if (taker) {
      const usualMs = this.intervalMs * PATIENCE
      if (usualMs > 0 && nowMs - taker.sinceMs > usualMs) this.held++
      this.shownTick = frame.tick
      taker.resolve(frame)
      return
    }
    if (this.newest) this.late++
    this.newest = frame
  }

  /** The newest frame that was not taken, or the next one. Rejects where `fail` is called before it comes. */
  take(nowMs: number): Promise<FrameMessage> {
    const frame = this.newest
    if (!frame) {
      return new Promise((resolve, reject) => this.takers.push({ sinceMs: nowMs, resolve, reject }))
    }
    this.newest = null
    this.shownTick = frame.tick
    return Promise.resolve(frame)
  }

  /** Another epoch, or play after a pause: what came before is not shown any more. Who waits goes on waiting. */
  begin(tick: number): void {
    this.newest = null
    this.lastAtMs = null
    this.shownTick = tick
  }

  fail(error: Error): void {
    for (const { reject } of this.takers.splice(0)) reject(error)
  }

  private observe(nowMs: number): void {
    const interval = this.lastAtMs === null ? null : nowMs - this.lastAtMs
    this.lastAtMs = nowMs
    if (interval === null) return
    if (this.intervalMs > 0 && interval > GAP * this.intervalMs) this.gaps++
    else this.intervalMs += (interval - this.intervalMs) * (this.intervalMs === 0 ? 1 : SMOOTHING)
  }
}
