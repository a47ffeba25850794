import type { CarState } from './physics'
import { curvature, elevation } from './track'

/**
 * What the instruments of the car read at a frame, in this order. Recorded beside the frames, so that a dream can carry
 * them in its state: they say in a few numbers what moves the whole picture. `mirrors` is -1 where a mirrored picture
 * turns the sign.
 */
export const TELEMETRY = [
  { name: 'speed', unit: 'm/s', mirrors: 1 },
  { name: 'wheel', unit: '-1..1', mirrors: -1 },
  { name: 'offset', unit: 'm from the centre line', mirrors: -1 },
  { name: 'heading', unit: 'rad against the road', mirrors: -1 },
  { name: 'cameraOffset', unit: 'm', mirrors: -1 },
  { name: 'cameraHeading', unit: 'rad', mirrors: -1 },
  { name: 'curvature', unit: '1/m', mirrors: -1 },
  { name: 'curvatureAhead', unit: '1/m, 35 m ahead', mirrors: -1 },
  { name: 'slope', unit: 'rise over run, 26 m ahead', mirrors: 1 },
  { name: 'slopeAhead', unit: 'rise over run, from 26 to 60 m ahead', mirrors: 1 },
] as const

export function telemetryOf(seed: number, car: CarState): number[] {
  const here = elevation(seed, car.s)
  const near = elevation(seed, car.s + 26)
  return [
    car.v,
    car.wheel,
    car.d,
    car.psi,
    car.camD,
    car.camPsi,
    curvature(seed, car.s),
    curvature(seed, car.s + 35),
    (near - here) / 26,
    (elevation(seed, car.s + 60) - near) / 34,
  ]
}
