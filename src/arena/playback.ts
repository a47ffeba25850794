/** Where a clip that plays over and over is. */
export interface Moment {
  readonly index: number
  /** Times that it has been seen to its end. */
  readonly seen: number
  /** 0..1 of the clip. */
  readonly fraction: number
}

/** The last frame stays for a while before the clip begins again. */
const REST_MS = 800
/** A page that was hidden does not jump ahead: time passes only while somebody could see it. */
const LONGEST_STEP_MS = 250

export function momentAt(elapsedMs: number, frames: number, ticksPerSecond: number): Moment {
  const lengthMs = (frames * 1000) / ticksPerSecond
  const cycleMs = lengthMs + REST_MS
  const cycle = Math.floor(elapsedMs / cycleMs)
  const withinMs = elapsedMs - cycle * cycleMs
  const index = Math.min(frames - 1, Math.floor((withinMs * ticksPerSecond) / 1000))
  const ended = withinMs >= lengthMs
  return { index, seen: cycle + (ended ? 1 : 0), fraction: Math.min(1, withinMs / lengthMs) }
}

/** What a browser gives: a call before the next picture, with the time. */
export interface Frames {
  request(run: (nowMs: number) => void): number
  cancel(id: number): void
}

export const browserFrames: Frames = {
  request: (run) => requestAnimationFrame(run),
  cancel: (id) => cancelAnimationFrame(id),
}

/** Plays over and over until it is stopped. */
export class Playback {
  private id: number | null = null
  private elapsedMs = 0
  private lastMs: number | null = null

  constructor(
    private readonly frames: number,
    private readonly ticksPerSecond: number,
    private readonly show: (moment: Moment) => void,
    private readonly clock: Frames = browserFrames,
  ) {}

  /** From the beginning. */
  start(): void {
    this.stop()
    this.elapsedMs = 0
    this.lastMs = null
    this.id = this.clock.request(this.step)
  }

  stop(): void {
    if (this.id !== null) this.clock.cancel(this.id)
    this.id = null
  }

  private readonly step = (nowMs: number): void => {
    if (this.lastMs !== null) this.elapsedMs += Math.min(LONGEST_STEP_MS, nowMs - this.lastMs)
    this.lastMs = nowMs
    this.id = this.clock.request(this.step)
    this.show(momentAt(this.elapsedMs, this.frames, this.ticksPerSecond))
  }
}
