import { clamp } from './math'
import { type CarState, DT, MAX_SPEED, STUCK_TICKS, startCar } from './physics'
import type { Reading } from './telemetry'
import { CORRIDOR, curvature, elevation, PERIOD_METRES } from './track'

const TAU = 6.283185307179586
/** Periods of the road that are searched, from its beginning: 36 km. */
const PERIODS = 1500
/** What counts as much as a bend of this curvature (1/m) or a slope (rise over run) that is missing. */
const BEND = 1 / 150
const SLOPE = 0.05

/** A moment of another drive, as its instruments read it. */
export interface Moment {
  readonly tick: number
  readonly telemetry: Readonly<Record<string, number>>
}

/**
 * The car at every moment of another drive, oldest first, on the road of this seed. What the instruments read is taken over;
 * the place on the road is where its next bends and slopes are most like those of the last moment, and before that where the
 * car must have come from.
 */
export function carsLike(seed: number, moments: readonly Moment[]): CarState[] {
  const last = moments.at(-1)
  if (!last) return []
  const cars: CarState[] = []
  let s = stretchLike(seed, last.telemetry)
  for (let i = moments.length - 1; i >= 0; i--) {
    const { tick, telemetry } = moments[i]!
    const after = moments[i + 1]
    if (after) s -= (metresPerTick(telemetry) + metresPerTick(after.telemetry)) * 0.5 * (after.tick - tick)
    cars.unshift(carAt(seed, s, telemetry))
  }
  return cars
}

function metresPerTick({ speed = 0, heading = 0 }: Partial<Reading>): number {
  return speed * Math.cos(heading) * DT
}

/** Metres along the road to the place, in the same phase of its stripes, whose bends and slopes are most like these. */
function stretchLike(seed: number, reads: Partial<Reading>): number {
  const { curvature: here = 0, bendNear = 0, bendMiddle = 0, bendFar = 0, slope = 0, slopeAhead = 0 } = reads
  const { phaseSin = 0, phaseCos = 1 } = reads
  const phase = (Math.atan2(phaseSin, phaseCos) / TAU) * PERIOD_METRES
  let best = 0
  let least = Number.POSITIVE_INFINITY
  for (let period = 1; period <= PERIODS; period++) {
    const s = period * PERIOD_METRES + phase
    const near = elevation(seed, s + 26)
    const off =
      ((curvature(seed, s) - here) / BEND) ** 2 +
      ((curvature(seed, s + 30) - bendNear) / BEND) ** 2 +
      ((curvature(seed, s + 70) - bendMiddle) / BEND) ** 2 +
      ((curvature(seed, s + 120) - bendFar) / BEND) ** 2 +
      (((near - elevation(seed, s)) / 26 - slope) / SLOPE) ** 2 +
      (((elevation(seed, s + 60) - near) / 34 - slopeAhead) / SLOPE) ** 2
    if (off >= least) continue
    least = off
    best = s
  }
  return best
}

function carAt(seed: number, s: number, reads: Partial<Reading>): CarState {
  const { speed = 0, offset = 0, heading = 0, wheel = 0, pitch = 0, stuck = 0 } = reads
  const { cameraOffset = 0, cameraHeading = 0 } = reads
  return {
    s,
    d: clamp(offset, -CORRIDOR, CORRIDOR),
    psi: clamp(heading, -1, 1),
    v: clamp(speed, 0, MAX_SPEED),
    wheel: clamp(wheel, -1, 1),
    roadYaw: startCar(seed).roadYaw,
    camD: clamp(cameraOffset, -CORRIDOR, CORRIDOR),
    camPsi: clamp(cameraHeading, -1, 1),
    pitch: clamp(pitch, -1, 1),
    stuckTicks: Math.round(clamp(stuck, 0, 1) * STUCK_TICKS),
  }
}
