import type { InferenceSession } from 'onnxruntime-common'
import { type AssetCache, type AssetSource, NO_CACHE } from '../assets'
import { noticeOf, type TellNotice } from '../notices'
import { disposed, emptyPrompt, PromptEncoderError, reason } from './errors'
import { type LoadedEncoder, loadEncoder } from './load'
import type { EncoderProgress, PromptEncoder, PromptOrt } from './types'

export interface PromptEncoderOptions {
  readonly ort: PromptOrt
  /** The folder that holds the encoder. */
  readonly source: AssetSource
  /** Left out, nothing is kept. */
  readonly cache?: AssetCache
  /** Name of the manifest in the folder, `encoder.json` where left out. */
  readonly manifest?: string
  readonly onProgress?: (progress: EncoderProgress) => void
  /** Told `PROMPT_CUT` where a prompt was too long, and what the loading of assets has to say. */
  readonly onNotice?: TellNotice
  /**
   * Runs the job when no other session of the same ONNX Runtime is running: two overlapping runs in one WASM
   * instance destroy it. Needed where the encoder shares its instance with the student; left out, the encoder
   * only keeps its own runs apart.
   */
  readonly runExclusive?: <T>(job: () => Promise<T>) => Promise<T>
}

/** A prompt encoder in this thread. Loads nothing before the first `encode`. */
export function createPromptEncoder(options: PromptEncoderOptions): PromptEncoder {
  const runExclusive = options.runExclusive ?? createLock()
  const onNotice = options.onNotice ?? (() => {})
  let loading: Promise<LoadedEncoder> | null = null
  let closed = false

  function load(): Promise<LoadedEncoder> {
    loading ??= loadEncoder({
      ort: options.ort,
      source: options.source,
      cache: options.cache ?? NO_CACHE,
      manifest: options.manifest ?? 'encoder.json',
      onProgress: options.onProgress ?? (() => {}),
      onNotice,
      runExclusive,
    }).catch((error: unknown) => {
      loading = null
      throw error
    })
    return loading
  }

  return {
    async encode(text) {
      if (closed) throw disposed()
      if (text.trim() === '') throw emptyPrompt()
      const { manifest, tokenizer, session } = await load()
      const { ids, dropped } = tokenizer.tokenize(text)
      if (dropped > 0) {
        onNotice(
          noticeOf('PROMPT_CUT', `${ids.length + dropped} tokens, of which ${manifest.maxTokens} are read`),
        )
      }
      return runExclusive(async () => {
        if (closed) throw disposed()
        return run(options.ort, session, ids, manifest.dim)
      })
    },
    async dispose() {
      if (closed) return
      closed = true
      const loaded = await loading?.catch(() => null)
      if (loaded) await runExclusive(() => loaded.session.release())
      loading = null
    },
  }
}

async function run(
  ort: PromptOrt,
  session: InferenceSession,
  ids: number[],
  dim: number,
): Promise<Float32Array> {
  const dims = [1, ids.length]
  const inputs = {
    input_ids: new ort.Tensor('int64', BigInt64Array.from(ids, BigInt), dims),
    attention_mask: new ort.Tensor('int64', new BigInt64Array(ids.length).fill(1n), dims),
  }
  try {
    const { embedding } = await session.run(inputs)
    const data = embedding?.data
    if (!(data instanceof Float32Array) || data.length !== dim) {
      throw new Error(`its output "embedding" is not ${dim} floats`)
    }
    return data.slice()
  } catch (cause) {
    throw new PromptEncoderError(`The prompt encoder could not run: ${reason(cause)}.`, { cause })
  }
}

/** Jobs one after another, in the order of the calls; a failed one does not stop the next. */
function createLock(): <T>(job: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve()
  return (job) => {
    const result = last.then(job)
    last = result.catch(() => {})
    return result
  }
}
