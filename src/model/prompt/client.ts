import { BadInputError } from '../../engine/errors'
import { runtimeAddresses } from '../backends/runtimes'
import type { TellNotice } from '../notices'
import { disposed, emptyPrompt, PromptEncoderError } from './errors'
import type { FromWorker, ToWorker } from './protocol'
import type { EncoderProgress, PromptEncoder } from './types'

/** The part of a `Worker` that the client uses. */
export type WorkerLike = Pick<
  Worker,
  'postMessage' | 'terminate' | 'onmessage' | 'onerror' | 'onmessageerror'
>

export interface OpenPromptEncoderOptions {
  /** Address of `encoder.json`; the other files lie beside it. */
  readonly url: string
  /** Address of the folder of the world that is to be told. Left out, `encode` gives sentence embeddings. */
  readonly world?: string
  /** Told while the first `encode` loads the model. */
  readonly onProgress?: (progress: EncoderProgress) => void
  /** Told `PROMPT_CUT` where a prompt was too long, and what the loading of assets has to say. */
  readonly onNotice?: TellNotice
  /** Left out, a module worker with the WASM build of ONNX Runtime. */
  readonly createWorker?: () => WorkerLike
}

interface Waiting {
  resolve(embedding: Float32Array): void
  reject(error: Error): void
}

/**
 * A prompt encoder in a worker of its own, for the page. The worker starts, and the model loads, at the first
 * `encode`; if the worker dies, the calls under way fail and the next one starts another.
 *
 * @example
 * const encoder = openPromptEncoder({
 *   url: '/assets/prompt-encoder/encoder.json',
 *   world: '/assets/drive/',
 * })
 * await world.setPrompt({ text, embedding: await encoder.encode(text) })
 */
export function openPromptEncoder(options: OpenPromptEncoderOptions): PromptEncoder {
  const waiting = new Map<number, Waiting>()
  let worker: WorkerLike | null = null
  let lastId = 0
  let closed = false

  function start(): WorkerLike {
    const started = (options.createWorker ?? moduleWorker)()
    const say = (message: ToWorker) => started.postMessage(message)
    started.onmessage = ({ data }: MessageEvent<FromWorker>) => receive(data)
    started.onerror = (event) => {
      event.preventDefault?.()
      lose(event.message || 'its script did not load')
    }
    started.onmessageerror = () => lose('a message could not be read')
    // A relative address would be taken from the worker's script, not from the page.
    const whole = (url: string) => new URL(url, globalThis.location?.href).href
    const world = options.world === undefined ? {} : { world: whole(options.world) }
    say({ kind: 'open', url: whole(options.url), ...world, runtimes: runtimeAddresses() })
    return started
  }

  function receive(message: FromWorker): void {
    if (message.kind === 'progress') options.onProgress?.(message.progress)
    else if (message.kind === 'notice') options.onNotice?.(message.notice)
    else {
      const call = waiting.get(message.id)
      waiting.delete(message.id)
      if (message.kind === 'embedding') call?.resolve(message.embedding)
      else call?.reject(errorOf(message.code, message.message))
    }
  }

  function lose(why: string): void {
    stop(new PromptEncoderError(`The prompt encoder's worker stopped (${why}). Send the prompt again.`))
  }

  function stop(error: Error): void {
    worker?.terminate()
    worker = null
    const calls = [...waiting.values()]
    waiting.clear()
    for (const call of calls) call.reject(error)
  }

  return {
    async encode(text) {
      if (closed) throw disposed()
      if (text.trim() === '') throw emptyPrompt()
      worker ??= start()
      const id = ++lastId
      const message: ToWorker = { kind: 'encode', id, text }
      return new Promise((resolve, reject) => {
        waiting.set(id, { resolve, reject })
        worker!.postMessage(message)
      })
    },
    async dispose() {
      if (closed) return
      closed = true
      stop(disposed())
    },
  }
}

function errorOf(code: string, message: string): Error {
  return code === 'BAD_INPUT' ? new BadInputError(message) : new PromptEncoderError(message)
}

function moduleWorker(): WorkerLike {
  return new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'prompt-encoder' })
}
