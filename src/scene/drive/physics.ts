import type { DriveAction } from './controls'
import { clamp, cos, hash01, sin } from './math'
import { BANK_START, CORRIDOR, curvature, OFF_ROAD } from './track'

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
  /** Ticks spent standing off the road, at most `STUCK_TICKS`. */
  stuckTicks: number
}

export const MAX_SPEED = 30
/** What full lock asks for against the road, radians. */
const LOCK = 0.32
/** How far a bend takes the car outward: radians per m/s2 of lateral acceleration. */
const DRIFT = 0.01
/** How far a bank turns the car back: radians per metre in it. */
const BANK = 0.16
/** Part of the way to the heading it aims at that the car turns in a tick. */
const TURN = 0.22
export const STUCK_TICKS = 60
/** The camera's share of the car's lateral offset. */
const CAMERA_FOLLOWS = 0.6

export function startCar(seed: number): CarState {
  const d = (hash01(seed, 0, 41) * 2 - 1) * 3
  return {
    s: 40 + hash01(seed, 0, 42) * 4000,
    d,
    psi: 0,
    v: 8 + hash01(seed, 0, 43) * 14,
    wheel: 0,
    roadYaw: hash01(seed, 0, 44) * 6.283185307179586,
    camD: d * CAMERA_FOLLOWS,
    camPsi: 0,
    pitch: 0,
    stuckTicks: 0,
  }
}

/**
 * Advances the car by one tick in place. It follows the road by itself: steering turns it against the road, a bend takes
 * it outward the faster it is, and banks turn it back, so that no key held for ever leads out of the corridor. Pure
 * arithmetic: same seed, state and action give the same bits.
 */
export function stepCar(seed: number, car: CarState, action: DriveAction): void {
  const offRoad = Math.abs(car.d) > OFF_ROAD
  const top = offRoad ? 16 : MAX_SPEED
  const drive = action.throttle > 0 ? 9.5 * (1 - car.v / top) : action.throttle < 0 ? -15 : -1.6
  car.v = clamp(car.v + Math.max(drive, -15) * DT, 0, MAX_SPEED)
  car.wheel += (action.steer - car.wheel) * 0.3
  car.pitch += (action.throttle - car.pitch) * 0.2

  const kappa = curvature(seed, car.s)
  const grip = car.v / (car.v + 4)
  const inBank = Math.max(0, Math.abs(car.d) - BANK_START) * (car.d > 0 ? 1 : -1)
  const goal = car.wheel * LOCK * grip - kappa * car.v * car.v * DRIFT - inBank * BANK * grip
  car.psi += (goal - car.psi) * TURN

  const ds = (car.v * cos(car.psi) * DT) / Math.max(0.5, 1 - kappa * car.d)
  car.d = clamp(car.d + car.v * sin(car.psi) * DT, -CORRIDOR, CORRIDOR)
  car.s += ds
  car.roadYaw += kappa * ds
  car.camD += (car.d * CAMERA_FOLLOWS - car.camD) * 0.2
  car.camPsi += (car.psi * 0.15 - car.camPsi) * 0.2
  car.stuckTicks = offRoad && car.v < 0.3 ? Math.min(STUCK_TICKS, car.stuckTicks + 1) : 0
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
