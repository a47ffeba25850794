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
