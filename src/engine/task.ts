import type { RunRule } from './run'
import type { Telemetry, Tick } from './world'

/** What there is to do in a world: reward and end, as functions of what its instruments read. */
export interface Task {
  /** Readings without which it can say nothing. */
  readonly needs: readonly string[]
  /** Of the tick that ends with these readings. */
  readonly reward?: (telemetry: Telemetry) => number
  /** True where the episode ends with these readings. */
  readonly done?: (telemetry: Telemetry) => boolean
  /** What a run counts. */
  readonly run?: RunRule
}

const tasks = new Map<string, Task>()

/** Makes a task known by the name that manifests call it by. */
export function registerTask(name: string, task: Task): void {
  tasks.set(name, task)
}

/** The task whose reward and end are dreamed themselves: whichever of the two the readings have by these names. */
const OUTCOME = 'outcome'
/** A dreamed probability from which on the episode is over. */
const ENDS = 0.5

function outcomeOf(readings: readonly string[]): Task | null {
  const reward = readings.includes('reward') ? (told: Telemetry) => told.reward! : undefined
  const done = readings.includes('done') ? (told: Telemetry) => told.done! >= ENDS : undefined
  return reward || done ? { needs: [], reward, done } : null
}

/** The task of that name; null where nobody knows it, or these readings are not all that it needs. */
export function taskOf(name: string | undefined, readings: readonly string[]): Task | null {
  if (name === OUTCOME) return outcomeOf(readings)
  const task = name === undefined ? undefined : tasks.get(name)
  return task?.needs.every((reading) => readings.includes(reading)) ? task : null
}

/** What a task says of these readings, as ticks have it. */
export function judged(task: Task | null, telemetry: Telemetry | undefined): Pick<Tick, 'reward' | 'done'> {
  if (!task || !telemetry) return {}
  return {
    ...(task.reward ? { reward: task.reward(telemetry) } : {}),
    ...(task.done ? { done: task.done(telemetry) } : {}),
  }
}
