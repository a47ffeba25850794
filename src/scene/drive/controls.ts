import controls from '../../../contract/drive/controls.json'
import { type Action, controlsSchema, spaceOf } from '../../engine/controls'

/** What can be done in the drive. */
export const DRIVE_CONTROLS = controlsSchema.parse(controls)

type Way = -1 | 0 | 1

/** An action of the drive: -1 is left and the brake, 1 is right and the throttle. */
export interface DriveAction extends Action {
  readonly steer: Way
  readonly throttle: Way
}

/** Throws `BadInputError` unless it is an action of the drive. */
export function checkDriveAction(action: Action): asserts action is DriveAction {
  spaceOf(DRIVE_CONTROLS).check(action)
}
