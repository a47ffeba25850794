import { BadInputError } from '../../engine/errors'
import { type RuntimeAddresses, runtimeAddresses } from '../backends/runtimes'
import type { Notice, TellNotice } from '../notices'
import { RequestPort, type WorkerLike } from '../port/request-port'
import { disposed, emptyPrompt, PromptEncoderError } from './errors'
import type { EncoderProgress, PromptEncoder } from './types'

/** What the page asks of the encoder's worker. */
export interface PromptCalls {
  /** The first of all. Addresses are absolute. */
  open(options: PromptWorkerOptions): Promise<void>
  encode(text: string): Promise<Float32Array>
}

export interface PromptWorkerOptions {
  readonly url: string
  readonly world?: string
  readonly runtimes: RuntimeAddresses
}

/** What the worker says by itself. */
export type PromptMessage =
  | { readonly kind: 'progress'; readonly progress: EncoderProgress }
  | { readonly kind: 'notice'; readonly notice: Notice }

export interface OpenPromptEncoderOptions {
  /** Address of `encoder.json`; the other files lie beside it. */
  readonly url: string
  /** Address of the folder of the world that is conditioned. Left out, `encode` gives sentence embeddings. */
  readonly world?: string
  /** Told while the first `encode` loads the model. */
  readonly onProgress?: (progress: EncoderProgress) => void
  /** Told `PROMPT_CUT` where a prompt was too long, and what the loading of assets has to say. */
  readonly onNotice?: TellNotice
  /** Left out, a module worker with the WASM build of ONNX Runtime. */
  readonly createWorker?: () => WorkerLike
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
  let port: RequestPort<PromptCalls, PromptMessage> | null = null
  let closed = false

  function start(): RequestPort<PromptCalls, PromptMessage> {
    const started = new RequestPort<PromptCalls, PromptMessage>({
      worker: (options.createWorker ?? moduleWorker)(),
      failure: (why) =>
        new PromptEncoderError(`The prompt encoder's worker stopped (${why}). Send the prompt again.`),
      onEvent: (message) => {
        if (message.kind === 'progress') options.onProgress?.(message.progress)
        else options.onNotice?.(message.notice)
      },
      onGone: () => {
        if (port === started) port = null
      },
    })
    // A relative address would be taken from the worker's script, not from the page.
    const whole = (url: string) => new URL(url, globalThis.location?.href).href
    const world = options.world === undefined ? {} : { world: whole(options.world) }
    const opening = started.call('open', [
      { url: whole(options.url), ...world, runtimes: runtimeAddresses() },
    ])
    opening.catch(() => {})
    return started
  }

  return {
    async encode(text) {
      if (closed) throw disposed()
      if (text.trim() === '') throw emptyPrompt()
      port ??= start()
      return port.call('encode', [text]).catch((error) => {
        throw error instanceof BadInputError ? error : new PromptEncoderError(error.message)
      })
    },
    async dispose() {
      closed = true
      port?.end(disposed())
    },
  }
}

function moduleWorker(): WorkerLike {
  return new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'prompt-encoder' })
}
