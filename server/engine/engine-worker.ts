/** The engine's thread. */
import '../../src/worlds'
import { answerCalls } from '../../src/model/port/answer-calls'
import type { Picture, StepResult } from './engine'
import type { EngineCalls } from './engine-client'
import { threadScope } from './node-worker'
import { type OpenEngineOptions, openEngine } from './open-engine'

const CALLS = [
  'reset',
  'restore',
  'setPrompt',
  'embed',
  'hush',
  'snapshot',
  'show',
  'step',
  'free',
  'close',
] as const

answerCalls(threadScope(), engine, { transfer: payloadsOf })

function engine(): object {
  const calls: Partial<EngineCalls> = {
    async open(options: OpenEngineOptions) {
      const opened = await openEngine(options)
      for (const name of CALLS) calls[name] = opened[name].bind(opened) as never
      return opened.served
    },
  }
  return calls
}

/** Payloads move; everything else is small, or a snapshot, which the engine has copied already. */
function payloadsOf(value: unknown): ArrayBuffer[] {
  const made = (value ?? {}) as Partial<Picture & StepResult> | readonly Picture[]
  const pictures = Array.isArray(made)
    ? (made as readonly Picture[])
    : ((made as Partial<StepResult>).pictures ?? ('payload' in made ? [made as Picture] : []))
  return pictures.map(({ payload }) => payload.buffer as ArrayBuffer)
}
