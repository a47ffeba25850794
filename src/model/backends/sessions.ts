/** ONNX sessions, opened and run in their turn, with the errors of `errors.ts`. */
import type { InferenceSession, Tensor } from 'onnxruntime-common'
import type { TaskQueue } from '../../engine/task-queue'
import { BackendError } from '../errors'
import type { Ort } from './backend'

export interface SessionHost {
  readonly ort: Ort
  /** Whom errors name, for example `wasm`. */
  readonly name: string
  /** All runs and session creations of one ONNX Runtime go through one chain: in WASM two at once destroy the instance. */
  readonly runs: TaskQueue
}

/** `which`: `student`, `decoder`. Throws `BackendError`. */
export function openSession(
  { ort, name, runs }: SessionHost,
  which: string,
  model: Uint8Array,
  options: InferenceSession.SessionOptions,
): Promise<InferenceSession> {
  return runs
    .run(() => ort.InferenceSession.create(model, options))
    .catch((cause: unknown) => {
      throw new BackendError(name, `making the ${which}'s session`, { cause })
    })
}

/** Throws `BackendError`. */
export function runSession(
  { name, runs }: Pick<SessionHost, 'name' | 'runs'>,
  which: string,
  session: InferenceSession,
  feeds: Record<string, Tensor>,
): Promise<InferenceSession.ReturnType> {
  return runs
    .run(() => session.run(feeds))
    .catch((cause: unknown) => {
      throw new BackendError(name, `running the ${which}`, { cause })
    })
}

/** The data of the output `name`. Throws `BackendError` where it is not `length` floats. */
export function floatsOf(
  out: InferenceSession.ReturnType,
  name: string,
  length: number,
  backend: string,
): Float32Array {
  const data = out[name]?.data
  if (data instanceof Float32Array && data.length === length) return data
  const came = out[name] ? `[${out[name].dims}] of ${out[name].type}` : 'nothing'
  const cause = new Error(`its output "${name}" should be ${length} floats, but ${came} came`)
  throw new BackendError(backend, 'reading a graph', { cause })
}
