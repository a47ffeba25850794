import type { ActionSpace } from '../../engine/controls'
import type { Autopilot } from '../../engine/held-keys'
import { keepToRoad } from './lane-keeper'

/**
 * Cruise: keeps to the road where the instruments tell of one, and the throttle down while a person steers. Throttle and
 * brake take the wheel from it. Null in a world that cannot be driven.
 */
export function cruiseFor(space: ActionSpace): Autopilot | null {
  if (!['steer-1', 'steer1', 'throttle1'].every((id) => space.hasMove(id))) return null
  let lane = keepToRoad()
  return {
    see(telemetry) {
      lane = keepToRoad(telemetry)
    },
    yieldsTo: ({ control }) => control === 'throttle',
    act(held) {
      if (held.throttle !== 0) return held
      return held.steer === 0 ? lane : { ...held, throttle: 1 }
    },
  }
}
