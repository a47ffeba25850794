import type { Action } from '../../engine/action'
import type { Telemetry } from '../../engine/world'

/** m/s */
const SPEED = 20

/**
 * The action that keeps a car near the middle of its road at an easy speed, from what its instruments read: the recorder's
 * bang-bang control, but with no other knowledge of the road. It drives the dream as it drives the simulator. Straight on
 * where the world has no such instruments.
 */
export function keepToRoad(telemetry?: Telemetry | null): Action {
  const { speed, wheel, offset, heading, curvature, curvatureAhead } = telemetry ?? {}
  const needed = [speed, wheel, offset, heading, curvature, curvatureAhead]
  if (!needed.every(Number.isFinite)) return { steer: 0, throttle: 1 }
  const bend = 0.7 * curvature! + 0.3 * curvatureAhead!
  const wanted = Math.max(-0.3, Math.min(0.3, -offset! * 0.06)) + bend * speed! * 0.55
  const error = wanted - heading! - wheel! * 0.1
  return {
    steer: error > 0.05 ? 1 : error < -0.05 ? -1 : 0,
    throttle: speed! < SPEED - 1 ? 1 : speed! > SPEED + 4 ? -1 : 0,
  }
}
