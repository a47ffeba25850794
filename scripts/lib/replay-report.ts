import type { Replay } from '../../src/engine/replay'

/** What a replay found, as a sentence. */
export function report({ compared, differing, divergence, firstTick, lastTick }: Replay): string {
  const span = `ticks ${firstTick} to ${lastTick}`
  if (compared === 0) return `Played ${span}. The log has no frame hashes, so nothing was compared.`
  const frames = lastTick - firstTick + 1
  const others = compared < frames ? ` The log has no hash of the other ${frames - compared}.` : ''
  if (!divergence) {
    const which = compared < frames ? `The ${compared} frames that were compared` : `All ${compared} frames`
    return `Played ${span}. ${which} are the same, bit for bit.${others}`
  }
  const { tick, expected, got } = divergence
  return `Diverges at tick ${tick}: the log has frame ${expected}, but ${got} came. Of ${compared} frames ${differing} differ (${span}).${others}`
}

/** A run whose log was played again. */
export interface CheckedRun {
  readonly day: string
  /** As the log says, and as its actions make it. */
  readonly score: number
  readonly counted: number
  /** Why it is no run, in a sentence, or null. */
  readonly fault: string | null
}

/** What became of a run, as a sentence. */
export function reportRun({ day, score, counted, fault }: CheckedRun, unit: string): string {
  if (fault) return `This is no run of ${day}. ${fault}`
  return `The run of ${day} counts: ${counted.toFixed(1)} ${unit}, and the log says ${score.toFixed(1)}.`
}

/** 0 where all frames are equal and a run is one, 1 where one differs or a run is none, 3 where nothing was compared. */
export function exitCodeOf({ compared, divergence }: Replay, fault: string | null = null): number {
  if (fault) return 1
  if (compared === 0) return 3
  return divergence ? 1 : 0
}
