import type { Action, ActionSpace } from '../../engine/controls'
import type { Autopilot } from '../../engine/held-keys'
import type { Telemetry } from '../../engine/world'
import { describeDrive } from './description'
import { assistOnRoad, keepToRoad } from './lane-keeper'
import { RoadWatch } from './road-watch'

/**
 * Cruise: keeps to the road where the instruments tell of one, and the throttle down while a person steers. Throttle and
 * brake take the wheel from it; then it only keeps the person on the road. Null in a world that cannot be driven.
 */
export function cruiseFor(space: ActionSpace): Autopilot | null {
  if (!['steer-1', 'steer1', 'throttle1'].every((id) => space.hasMove(id))) return null
  let seen: Telemetry | null = null
  const watch = new RoadWatch()
  const steered = (action: Action, steer: number): Action =>
    action.steer === steer ? action : { ...action, steer }
  return {
    see(telemetry, tick) {
      seen = telemetry
      watch.see(telemetry, tick)
    },
    yieldsTo: ({ control }) => control === 'throttle',
    act(held) {
      if (held.throttle !== 0) return held
      return held.steer === 0 ? keepToRoad(seen) : { ...held, throttle: 1 }
    },
    assist: (action) => steered(action, assistOnRoad(seen, action.steer ?? 0)),
    get wellBefore() {
      return watch.wellBefore
    },
    describe: () => describeDrive(seen),
  }
}
