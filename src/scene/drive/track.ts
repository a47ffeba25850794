import { hash01, lerp, noise1, smoothstep } from './math'

/** Half the paved width in metres. */
export const ROAD_HALF_WIDTH = 5.6
/** From this distance to the centre line on, a car is beside the road: two wheels have left it. Metres. */
export const OFF_ROAD = ROAD_HALF_WIDTH + 1
/** Where the soft banks begin to push back, metres from the centre line. */
export const BANK_START = 5
/** No car gets farther from the centre line than this, in metres. */
export const CORRIDOR = 9
/**
 * Everything that is painted on the road or stands beside it repeats after this many metres or a whole part of them, so
 * that one phase says where all of it is.
 */
export const PERIOD_METRES = 24

const SEGMENT_METRES = 90
const KNOT_METRES = 75

/** Curvature of segment `i` in 1/m, positive to the right. */
function segmentCurvature(seed: number, i: number): number {
  if (i <= 0) return 0
  const kind = hash01(seed, i, 1)
  const sign = hash01(seed, i, 2) < 0.5 ? -1 : 1
  const size = hash01(seed, i, 3)
  if (kind < 0.28) return 0
  if (kind < 0.68) return sign * lerp(1 / 420, 1 / 220, size)
  return sign * lerp(1 / 200, 1 / 105, size)
}

/** Curvature of the road at arc length `s` metres, in 1/m, positive to the right. */
export function curvature(seed: number, s: number): number {
  const x = s / SEGMENT_METRES
  const i = Math.floor(x)
  return lerp(segmentCurvature(seed, i), segmentCurvature(seed, i + 1), smoothstep(0.25, 0.75, x - i))
}

/** Height of the road at arc length `s`, in metres. */
export function elevation(seed: number, s: number): number {
  const x = s / KNOT_METRES
  return 2.6 * noise1(seed, x, 11) + 1.8 * noise1(seed, x * 0.41, 12)
}

/** Height of the ground above the road's own at lateral offset `d`, in metres: a verge, a bank, rolling land. */
export function relief(seed: number, s: number, d: number): number {
  const a = Math.abs(d)
  const side = d < 0 ? 21 : 22
  const bank = 1.3 * smoothstep(7, 15, a)
  const roll = 4.5 + 3.5 * noise1(seed, s / 60, side)
  return bank + (roll + 0.05 * (a - 15)) * smoothstep(14, 70, a) * 0.85
}

/** True where an arch spans the road at the start of slot `i` (slots are `ARCH_SLOT_METRES` apart). */
export const ARCH_SLOT_METRES = 8 * PERIOD_METRES
export function hasArch(seed: number, i: number): boolean {
  return i > 0 && hash01(seed, i, 31) < 0.4
}
