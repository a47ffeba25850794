import type { Telemetry } from '../../engine/world'
import type { DriveAction } from './controls'

/** m/s */
const SPEED = 22

/**
 * The action that keeps a car near `goal` (metres from the middle of its road, right positive) at about `speed` m/s, from
 * what its instruments read and nothing else. It drives the dream as it drives the simulator. Straight on where the world
 * has no such instruments.
 */
export function keepToRoad(telemetry?: Telemetry | null, goal = 0, speed = SPEED): DriveAction {
  const { speed: v, wheel, offset, heading, curvature, bendNear } = telemetry ?? {}
  const needed = [v, wheel, offset, heading, curvature, bendNear]
  if (!needed.every(Number.isFinite)) return { steer: 0, throttle: 1 }
  const home = Math.max(-0.16, Math.min(0.16, (goal - offset!) * 0.06))
  const bend = (0.6 * curvature! + 0.4 * bendNear!) * v! * v! * 0.01
  const wanted = (home - 0.5 * heading! + bend) / 0.3
  const error = wanted - wheel! * 0.7
  return {
    steer: error > 0.3 ? 1 : error < -0.3 ? -1 : 0,
    throttle: v! < speed - 1 ? 1 : v! > speed + 4 ? -1 : 0,
  }
}

/** Metres from the middle of the road that a person may go to, under assist. */
const EDGE = 3.8
/** How far the middle draws a person who does not turn: not at all up to here, metres. */
const FREE = 2.2
/** Seconds that assist looks ahead. */
const AHEAD = 0.9

/**
 * What a person's steering becomes so that the car stays on its road: the person's own, unless the car is about to leave
 * the road on the side that is asked for; and with none, the road is followed where the car is.
 */
export function assistOnRoad(telemetry: Telemetry | null, steer: number): number {
  const { speed, offset, heading, wheel } = telemetry ?? {}
  if (![speed, offset, heading, wheel].every(Number.isFinite)) return steer
  if (steer === 0) return keepToRoad(telemetry, Math.max(-FREE, Math.min(FREE, offset!))).steer
  // The car turns to where its wheel points within a third of a second.
  const turning = 0.5 * heading! + 0.5 * 0.3 * wheel!
  const side = (offset! + speed! * turning * AHEAD) * Math.sign(steer)
  return side < EDGE ? steer : keepToRoad(telemetry, EDGE * Math.sign(steer)).steer
}
