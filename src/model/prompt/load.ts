import type { InferenceSession } from 'onnxruntime-common'
import { type AssetCache, type AssetSource, loadFile } from '../assets'
import { AssetUnreachableError } from '../errors'
import { noticeOf, type TellNotice } from '../notices'
import { PromptEncoderError, reason } from './errors'
import { type EncoderManifest, parseEncoderManifest } from './manifest'
import { createPromptTokenizer, type PromptTokenizer } from './tokenizer'
import type { EncoderProgress, PromptOrt } from './types'

export interface LoadEncoderOptions {
  readonly ort: PromptOrt
  readonly source: AssetSource
  readonly cache: AssetCache
  /** Name of the manifest in the folder. */
  readonly manifest: string
  readonly onProgress: (progress: EncoderProgress) => void
  readonly onNotice: TellNotice
  readonly runExclusive: <T>(job: () => Promise<T>) => Promise<T>
}

export interface LoadedEncoder {
  readonly manifest: EncoderManifest
  readonly tokenizer: PromptTokenizer
  readonly session: InferenceSession
}

/** Reads the encoder's folder, checks it and makes the session. Throws `PromptEncoderError` with the cause. */
export async function loadEncoder(options: LoadEncoderOptions): Promise<LoadedEncoder> {
  let manifest: EncoderManifest
  let model: Uint8Array
  let words: Uint8Array
  try {
    manifest = await readManifest(options)
    ;[model, words] = await readFiles(manifest, options)
  } catch (cause) {
    throw new PromptEncoderError(`The prompt encoder could not be loaded: ${reason(cause)}`, { cause })
  }
  try {
    const tokenizer = createPromptTokenizer(JSON.parse(new TextDecoder().decode(words)), manifest.maxTokens)
    const session = await options.runExclusive(() =>
      options.ort.InferenceSession.create(model, { executionProviders: ['cpu'], intraOpNumThreads: 1 }),
    )
    return { manifest, tokenizer, session }
  } catch (cause) {
    throw new PromptEncoderError(
      `The prompt encoder's files were read but do not make a model (${reason(cause)}). Remake them with python -m distill.prompt_encoder_export.`,
      { cause },
    )
  }
}

/** From the source, or where that cannot be reached, the copy kept on the last visit. */
async function readManifest({
  source,
  cache,
  manifest,
  onNotice,
}: LoadEncoderOptions): Promise<EncoderManifest> {
  const key = `/${manifest}`
  let bytes: Uint8Array
  try {
    bytes = await source.read(manifest)
  } catch (error) {
    const kept = error instanceof AssetUnreachableError ? await cache.get(key) : null
    if (!kept) throw error
    onNotice(noticeOf('OFFLINE'))
    return parseEncoderManifest(kept)
  }
  const parsed = parseEncoderManifest(bytes)
  await cache.put(manifest, key, bytes)
  return parsed
}

async function readFiles(
  { files }: EncoderManifest,
  { source, cache, onProgress, onNotice }: LoadEncoderOptions,
): Promise<[model: Uint8Array, tokenizer: Uint8Array]> {
  const total = files.model.bytes + files.tokenizer.bytes
  const loaded = { model: 0, tokenizer: 0 }
  const read = (name: 'model' | 'tokenizer') => {
    const onBytes = (bytes: number) => {
      loaded[name] = bytes
      onProgress({ loaded: loaded.model + loaded.tokenizer, total })
    }
    return loadFile(files[name], { source, cache, onBytes, onNotice })
  }
  return Promise.all([read('model'), read('tokenizer')])
}
