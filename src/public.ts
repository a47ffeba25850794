/**
 * What the doors of the browser and of Node have in common. Options have no names here, so that the doors stay narrow:
 * `Parameters<typeof openWorld>[1]` is the type of those.
 */
export { type ActionLog, readActionLog, writeActionLog } from './engine/action-log'
export { type Action, type Control, spaceOf } from './engine/controls'
export {
  BadInputError,
  NotReadyError,
  OneiroError,
  SnapshotMismatchError,
  WorldClosedError,
} from './engine/errors'
export { worldOf } from './engine/game'
export { replay } from './engine/replay'
export { Timeline } from './engine/timeline'
export type {
  Pixels,
  Prompt,
  Snapshot,
  Telemetry,
  Tick,
  World,
  WorldInfo,
} from './engine/world'
