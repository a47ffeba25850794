/** The engine's thread: carries out calls one message at a time and answers each. */
import { parentPort, workerData } from 'node:worker_threads'
import '../../src/worlds'
import { toWire } from '../../src/model/errors'
import type { Picture, StepResult } from './engine'
import type { ThreadAnswer, ThreadCall } from './engine-client'
import { type OpenEngineOptions, openEngine } from './open-engine'

/** What a call may give; pictures are among it in one of these places. */
type Made = Partial<Picture & StepResult> | readonly Picture[]

const port = parentPort!

function answer(message: ThreadAnswer): void {
  port.postMessage(message, payloadsOf(message))
}

/** Payloads move; everything else is small, or a snapshot, which the engine has copied already. */
function payloadsOf(message: ThreadAnswer): ArrayBuffer[] {
  const value = 'value' in message ? (message.value as Made | undefined) : undefined
  const one = value as Partial<Picture & StepResult> | undefined
  const pictures = Array.isArray(value)
    ? (value as Picture[])
    : (one?.pictures ?? (one?.payload ? [one as Picture] : []))
  return pictures.map(({ payload }) => payload.buffer as ArrayBuffer)
}

try {
  const engine = await openEngine(workerData as OpenEngineOptions)
  port.on('message', async ({ id, call, args }: ThreadCall) => {
    try {
      // The client's types tie the arguments to the call.
      const value = await (engine[call] as (...args: unknown[]) => Promise<unknown>)(...args)
      answer({ id, value })
      if (call === 'close') port.close()
    } catch (error) {
      answer({ id, error: toWire(error) })
    }
  })
  answer({ id: 0, value: engine.served })
} catch (error) {
  answer({ id: 0, error: toWire(error) })
}
