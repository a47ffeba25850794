import type { Task } from '../../engine/task'
import { cos, sin } from './math'
import { type CarState, DT, STUCK_TICKS } from './physics'
import { curvature, elevation, OFF_ROAD, PERIOD_METRES } from './track'

const TAU = 6.283185307179586
/** Rain and snow repeat after so many ticks. */
export const WEATHER_TICKS = 20

/**
 * What the car's instruments read at a frame, in this order. Recorded beside the frames, so that a dream carries them in
 * its state: in a few numbers they say what moves the whole picture, where every painted stripe is, and which bends come.
 * `mirrors` is -1 where a mirrored picture turns the sign.
 */
export const TELEMETRY = [
  { name: 'speed', unit: 'm/s', mirrors: 1 },
  { name: 'wheel', unit: '-1..1', mirrors: -1 },
  { name: 'offset', unit: 'm from the centre line', mirrors: -1 },
  { name: 'heading', unit: 'rad against the road', mirrors: -1 },
  { name: 'cameraOffset', unit: 'm', mirrors: -1 },
  { name: 'cameraHeading', unit: 'rad', mirrors: -1 },
  { name: 'pitch', unit: '-1 (braking) .. 1', mirrors: 1 },
  { name: 'curvature', unit: '1/m', mirrors: -1 },
  { name: 'bendNear', unit: '1/m, 30 m ahead', mirrors: -1 },
  { name: 'bendMiddle', unit: '1/m, 70 m ahead', mirrors: -1 },
  { name: 'bendFar', unit: '1/m, 120 m ahead', mirrors: -1 },
  { name: 'slope', unit: 'rise over run, 26 m ahead', mirrors: 1 },
  { name: 'slopeAhead', unit: 'rise over run, from 26 to 60 m ahead', mirrors: 1 },
  { name: 'phaseSin', unit: 'sine of the place in the period of 24 m', mirrors: 1 },
  { name: 'phaseCos', unit: 'its cosine', mirrors: 1 },
  { name: 'weatherSin', unit: 'sine of the place in the 20 ticks of rain and snow', mirrors: 1 },
  { name: 'weatherCos', unit: 'its cosine', mirrors: 1 },
  { name: 'stuck', unit: '0..1 of three seconds without moving, off the road', mirrors: 1 },
] as const

export type Reading = Readonly<Record<(typeof TELEMETRY)[number]['name'], number>>

/** The readings of a car at a tick, in the order of `TELEMETRY`. */
export function telemetryOf(seed: number, tick: number, car: CarState): number[] {
  const near = elevation(seed, car.s + 26)
  const phase = (car.s / PERIOD_METRES) * TAU
  const weather = ((tick % WEATHER_TICKS) / WEATHER_TICKS) * TAU
  return [
    car.v,
    car.wheel,
    car.d,
    car.psi,
    car.camD,
    car.camPsi,
    car.pitch,
    curvature(seed, car.s),
    curvature(seed, car.s + 30),
    curvature(seed, car.s + 70),
    curvature(seed, car.s + 120),
    (near - elevation(seed, car.s)) / 26,
    (elevation(seed, car.s + 60) - near) / 34,
    sin(phase),
    cos(phase),
    sin(weather),
    cos(weather),
    car.stuckTicks / STUCK_TICKS,
  ]
}

/** Readings by name. */
export function readingOf(values: readonly number[]): Reading {
  return Object.fromEntries(TELEMETRY.map(({ name }, i) => [name, values[i]!])) as Reading
}

/** Metres along the road in a tick that ends with this reading, a third of them beside the road. */
export function rewardOf({ speed, offset, heading }: Pick<Reading, 'speed' | 'offset' | 'heading'>): number {
  return speed * cos(heading) * DT * (Math.abs(offset) > OFF_ROAD ? 1 / 3 : 1)
}

/** From this distance to the centre line on, metres, and from this speed on, m/s, the bank is a crash. */
const CRASH_OFFSET = 7.2
const CRASH_SPEED = 20

/** Whether a drive ends with this reading: crashed into a bank at speed, or stuck beside the road for three seconds. */
export function doneOf({ speed, offset, stuck }: Pick<Reading, 'speed' | 'offset' | 'stuck'>): boolean {
  return (Math.abs(offset) >= CRASH_OFFSET && speed >= CRASH_SPEED) || stuck >= 1
}

/** Metres along the road in a tick that ends with this reading; none beside it, or backwards. */
export function metresOn({ speed, offset, heading }: Pick<Reading, 'speed' | 'offset' | 'heading'>): number {
  return Math.abs(offset) > OFF_ROAD ? 0 : Math.max(0, speed * cos(heading) * DT)
}

/** What there is to do in the drive, for its dreams too. */
export const DRIVE_TASK: Task = {
  needs: ['speed', 'offset', 'heading', 'stuck'],
  reward: (telemetry) => rewardOf(telemetry as Reading),
  done: (telemetry) => doneOf(telemetry as Reading),
  run: { unit: 'm', gain: (telemetry) => metresOn(telemetry as Reading) },
}
