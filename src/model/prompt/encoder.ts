import type { InferenceSession } from 'onnxruntime-common'
import { disposed, emptyPrompt, PromptEncoderError, reason } from './errors'
import { type EncoderManifest, parseEncoderManifest } from './manifest'
import { createPromptTokenizer, type PromptTokenizer } from './tokenizer'
import type { EncoderFile, EncoderFiles, EncoderProgress, PromptEncoder, PromptOrt } from './types'

export interface PromptEncoderOptions {
  readonly ort: PromptOrt
  /** Where the encoder's files come from. */
  readonly files: EncoderFiles
  readonly onProgress?: (progress: EncoderProgress) => void
  /** Told in a sentence where a prompt was too long and its end was cut. */
  readonly onNotice?: (sentence: string) => void
  /**
   * Runs the job when no other session of the same ONNX Runtime is running: two overlapping runs in one WASM
   * instance destroy it. Needed where the encoder shares its instance with the student; left out, the encoder
   * only keeps its own runs apart.
   */
  readonly runExclusive?: <T>(job: () => Promise<T>) => Promise<T>
}

interface Loaded {
  readonly manifest: EncoderManifest
  readonly tokenizer: PromptTokenizer
  readonly session: InferenceSession
}

/** A prompt encoder in this thread. Loads nothing before the first `encode`. */
export function createPromptEncoder(options: PromptEncoderOptions): PromptEncoder {
  const exclusive = options.runExclusive ?? createLock()
  let loading: Promise<Loaded> | null = null
  let closed = false

  function load(): Promise<Loaded> {
    loading ??= loadEncoder(options, exclusive).catch((cause: unknown) => {
      loading = null
      throw cause instanceof PromptEncoderError
        ? cause
        : new PromptEncoderError(`The prompt encoder could not be loaded: ${reason(cause)}`, { cause })
    })
    return loading
  }

  return {
    async encode(text) {
      if (closed) throw disposed()
      if (text.trim() === '') throw emptyPrompt()
      const { manifest, tokenizer, session } = await load()
      const { ids, dropped } = tokenizer.tokenize(text)
      if (dropped > 0) options.onNotice?.(cutNotice(ids.length + dropped, manifest.maxTokens))
      return exclusive(async () => {
        if (closed) throw disposed()
        return run(options.ort, session, ids, manifest.dim)
      })
    },
    async dispose() {
      if (closed) return
      closed = true
      const loaded = await loading?.catch(() => null)
      if (loaded) await exclusive(() => loaded.session.release())
      loading = null
    },
  }
}

async function loadEncoder(
  options: PromptEncoderOptions,
  exclusive: NonNullable<PromptEncoderOptions['runExclusive']>,
): Promise<Loaded> {
  const manifest = parseEncoderManifest(await options.files.manifest())
  const files = [manifest.files.model, manifest.files.tokenizer] as const
  const loadedBytes = files.map(() => 0)
  const total = files.reduce((sum, file) => sum + file.bytes, 0)
  const read = (file: EncoderFile, index: number) =>
    options.files.read(file, (bytes) => {
      loadedBytes[index] = bytes
      options.onProgress?.({ loaded: loadedBytes.reduce((sum, n) => sum + n, 0), total })
    })
  const [model, words] = await Promise.all(files.map(read))
  try {
    const tokenizer = createPromptTokenizer(JSON.parse(new TextDecoder().decode(words)), manifest.maxTokens)
    const session = await exclusive(() =>
      options.ort.InferenceSession.create(model!, { executionProviders: ['cpu'], intraOpNumThreads: 1 }),
    )
    return { manifest, tokenizer, session }
  } catch (cause) {
    throw new PromptEncoderError(
      `The prompt encoder's files were read but do not make a model (${reason(cause)}). Remake them with python -m distill.prompt_encoder_export.`,
      { cause },
    )
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

function cutNotice(tokens: number, maxTokens: number): string {
  return `The prompt has ${tokens} tokens, but at most ${maxTokens} are read; its end was cut.`
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
