import type { LoopEvent } from '../../engine/loop'
import type { Pixels } from '../../engine/world'

/** Eight seconds, and half a second before them that the end of a loop fades into. */
export const LOOP_TICKS = 160
export const FADE_TICKS = 10

/** The last frames of the drive, where they come with its ticks: what one has just seen can be kept. */
export class Reel {
  private frames: Pixels[] = []

  /** Oldest first; they follow each other without a gap. */
  get last(): readonly Pixels[] {
    return this.frames
  }

  hear(event: LoopEvent): void {
    if (event.type === 'begin') this.frames = []
    if (event.type !== 'tick' && event.type !== 'begin') return
    if (!event.tick.frame) return
    this.frames.push(event.tick.frame)
    if (this.frames.length > LOOP_TICKS + FADE_TICKS) this.frames.shift()
  }
}

/** A frame of a loop: `frame`, with so much of `over` laid over it. */
export interface Cut {
  readonly frame: Pixels
  readonly over: Pixels | null
  readonly share: number
}

/** Cuts frames into a loop without a seam: its end fades into what came just before its beginning. */
export function loopOf(frames: readonly Pixels[]): Cut[] {
  const fade = Math.min(FADE_TICKS, Math.floor(frames.length / 4))
  const length = frames.length - fade
  return Array.from({ length }, (_, i) => {
    const into = i - (length - fade)
    const over = into >= 0 ? frames[into]! : null
    return { frame: frames[fade + i]!, over, share: over ? (into + 1) / (fade + 1) : 0 }
  })
}
