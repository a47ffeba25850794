import { type Task, taskOf } from '../../engine/task'
import type { WorldInfo } from '../../engine/world'
import type { Manifest } from '../assets/manifest'

/** The task that a manifest names; null where it names none, or nobody here knows it. */
export function taskIn({ task, telemetry = [] }: Pick<Manifest, 'task' | 'telemetry'>): Task | null {
  return taskOf(
    task,
    telemetry.map(({ name }) => name),
  )
}

/** What a dream of this manifest says of itself. */
export function infoOf(manifest: Manifest, backend: string): WorldInfo {
  const task = taskIn(manifest)
  return {
    id: manifest.id,
    kind: 'dream',
    backend,
    modelHash: manifest.modelHash,
    width: manifest.frame.width,
    height: manifest.frame.height,
    ticksPerSecond: manifest.ticksPerSecond,
    controls: manifest.controls,
    prompt: manifest.prompt !== undefined,
    telemetry: (manifest.telemetry ?? []).map(({ name, unit }) => ({ name, unit })),
    reward: task?.reward !== undefined,
    done: task?.done !== undefined,
  }
}
