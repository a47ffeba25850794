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
  if (telemetry?.curvatureAhead !== undefined) return keepToOldRoad(telemetry)
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

/** The same for dreams of the first world, whose cars do not follow their road by themselves. */
function keepToOldRoad({ speed, wheel, offset, heading, curvature, curvatureAhead }: Telemetry): DriveAction {
  const bend = 0.7 * curvature! + 0.3 * curvatureAhead!
  const wanted = Math.max(-0.3, Math.min(0.3, -offset! * 0.06)) + bend * speed! * 0.55
  const error = wanted - heading! - wheel! * 0.1
  return {
    steer: error > 0.05 ? 1 : error < -0.05 ? -1 : 0,
    throttle: speed! < 19 ? 1 : speed! > 24 ? -1 : 0,
  }
}
