import type { Action } from '../../engine/action'
import { clamp, cos, hash01, sin } from './math'
import { BANK_START, CORRIDOR, curvature, ROAD_HALF_WIDTH } from './track'

/** Seconds of world time in a tick. */
export const DT = 1 / 20

/** The car and its camera, in the road's own frame (arc length and lateral offset). */
export interface CarState {
  /** Arc length along the road, metres. */
  s: number
  /** Lateral offset from the centre line, metres, right positive. */
  d: number
  /** Heading relative to the road, radians, right positive. */
  psi: number
  /** Speed, m/s. */
  v: number
  /** Smoothed steering, -1..1. */
  wheel: number
  /** Heading of the road since the start, radians; turns the far hills and the sun. */
  roadYaw: number
  /** The camera's lateral offset (m) and heading relative to the road (rad), which lag behind the car's. */
  camD: number
  camPsi: number
  /** Smoothed throttle, -1..1: pitches the body. */
  pitch: number
  /** Ticks spent standing off the road. */
  stuckTicks: number
}

export interface StepOutcome {
  /** Metres of progress along the road in this tick, a third of it while off the road. */
  readonly reward: number
  /** True when the car hit a bank hard or has been stuck off the road for three seconds. */
  readonly done: boolean
}

const MAX_SPEED = 30
const MAX_HEADING = 0.5
const STUCK_TICKS = 60

export function startCar(seed: number): CarState {
  const d = (hash01(seed, 0, 41) * 2 - 1) * 3
  return {
    s: 40 + hash01(seed, 0, 42) * 4000,
    d,
    psi: 0,
    v: 8 + hash01(seed, 0, 43) * 14,
    wheel: 0,
    roadYaw: hash01(seed, 0, 44) * 6.283185307179586,
    camD: d * 0.85,
    camPsi: 0,
    pitch: 0,
    stuckTicks: 0,
  }
}

/** Advances the car by one tick in place. Pure arithmetic: same seed, state and action give the same bits. */
export function stepCar(seed: number, car: CarState, action: Action): StepOutcome {
  const offRoad = Math.abs(car.d) > ROAD_HALF_WIDTH + 1
  const top = offRoad ? 13 : MAX_SPEED
  const drive = action.throttle > 0 ? 9.5 * (1 - car.v / top) : action.throttle < 0 ? -17 : -1.6
  const drag = offRoad && car.v > top ? 9 : 0
  car.v = clamp(car.v + (Math.max(drive, -17) - drag) * DT, 0, MAX_SPEED)
  car.wheel += (action.steer - car.wheel) * 0.3
  car.pitch += (action.throttle - car.pitch) * 0.2

  const kappa = curvature(seed, car.s)
  const grip = car.v / (car.v + 7)
  const ds = (car.v * cos(car.psi) * DT) / Math.max(0.5, 1 - kappa * car.d)
  // Banks turn the car back toward the road, more the deeper it is in them.
  const inBank = Math.max(0, Math.abs(car.d) - BANK_START)
  const away = car.d > 0 ? car.psi : -car.psi
  const turnBack = inBank * (0.35 + Math.max(0, away) * 2) * Math.min(1, car.v / 5) * (car.d > 0 ? -1 : 1)
  car.psi += (car.wheel * 0.95 * grip + turnBack) * DT - kappa * ds
  // A light self-aligning torque, as a caster gives a real car.
  car.psi -= car.psi * 0.55 * grip * DT
  car.psi = clamp(car.psi, -MAX_HEADING, MAX_HEADING)

  const before = car.d
  car.d = clamp(car.d + car.v * sin(car.psi) * DT, -CORRIDOR, CORRIDOR)
  car.s += ds
  car.roadYaw += kappa * ds
  car.camD += (car.d * 0.85 - car.camD) * 0.22
  car.camPsi += (car.psi * 0.55 - car.camPsi) * 0.18

  const crashed = Math.abs(car.d) >= CORRIDOR && Math.abs(before) < CORRIDOR && car.v > 8 && away > 0.2
  if (crashed) car.v *= 0.35
  car.stuckTicks = offRoad && car.v < 0.3 ? car.stuckTicks + 1 : 0
  return { reward: ds * (offRoad ? 1 / 3 : 1), done: crashed || car.stuckTicks >= STUCK_TICKS }
}

/** Order in which a car is written to and read from plain numbers. */
const FIELDS = [
  's',
  'd',
  'psi',
  'v',
  'wheel',
  'roadYaw',
  'camD',
  'camPsi',
  'pitch',
  'stuckTicks',
] as const satisfies readonly (keyof CarState)[]

export const CAR_FIELDS = FIELDS.length

export function carToArray(car: CarState): Float64Array {
  return Float64Array.from(FIELDS, (field) => car[field])
}

export function carFromArray(values: Float64Array): CarState {
  const car = {} as Record<(typeof FIELDS)[number], number>
  FIELDS.forEach((field, i) => {
    car[field] = values[i]!
  })
  return car
}

/** FNV-1a over the bits of the state, as 8 hex digits. */
export function stateHash(values: Float64Array): string {
  let h = 0x811c9dc5
  for (const byte of new Uint8Array(values.buffer, values.byteOffset, values.byteLength)) {
    h = Math.imul(h ^ byte, 0x01000193)
  }
  return (h >>> 0).toString(16).padStart(8, '0')
}
