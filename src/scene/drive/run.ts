import type { RunRule } from '../../engine/run'
import type { WorldInfo } from '../../engine/world'
import { DRIVE_TASK } from './telemetry'

/** What a run in this world counts. Null where its instruments do not tell of a road, or its task is another. */
export function runFor({ reward, telemetry }: Pick<WorldInfo, 'reward' | 'telemetry'>): RunRule | null {
  const read = new Set(telemetry.map(({ name }) => name))
  return reward && DRIVE_TASK.needs.every((name) => read.has(name)) ? DRIVE_TASK.run! : null
}
