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

/** 0 where all frames are equal, 1 where one differs, 3 where nothing was compared. */
export function exitCodeOf({ compared, divergence }: Replay): number {
  if (compared === 0) return 3
  return divergence ? 1 : 0
}
