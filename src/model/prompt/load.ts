import type { InferenceSession } from 'onnxruntime-common'
import { type AssetCache, type AssetSource, loadFile, readNewest } from '../assets/assets'
import { loadManifest } from '../assets/world-files'
import type { TellNotice } from '../notices'
import { PromptEncoderError, reason } from './errors'
import { type EncoderManifest, parseEncoderManifest } from './manifest'
import { createPromptTokenizer, type PromptTokenizer } from './tokenizer'
import type { EncoderProgress, PromptOrt, WorldFolder } from './types'

export interface LoadEncoderOptions {
  readonly ort: PromptOrt
  readonly source: AssetSource
  readonly cache: AssetCache
  /** Name of the manifest in the folder. */
  readonly manifest: string
  readonly world?: WorldFolder
  readonly onProgress: (progress: EncoderProgress) => void
  readonly onNotice: TellNotice
  readonly runExclusive: <T>(job: () => Promise<T>) => Promise<T>
}

export interface LoadedEncoder {
  readonly manifest: EncoderManifest
  readonly tokenizer: PromptTokenizer
  readonly session: InferenceSession
  /** The world's graph from embeddings of phrases to what its student is told. */
  readonly reader: InferenceSession | null
}

/** Reads the encoder's folder, checks it and makes the session. Throws `PromptEncoderError` with the cause. */
export async function loadEncoder(options: LoadEncoderOptions): Promise<LoadedEncoder> {
  let manifest: EncoderManifest
  let model: Uint8Array
  let words: Uint8Array
  let graph: Uint8Array | null
  try {
    manifest = await readNewest(options.manifest, options, parseEncoderManifest)
    ;[[model, words], graph] = await Promise.all([readFiles(manifest, options), readReader(options)])
  } catch (cause) {
    throw new PromptEncoderError(`The prompt encoder could not be loaded: ${reason(cause)}`, { cause })
  }
  try {
    const tokenizer = createPromptTokenizer(JSON.parse(new TextDecoder().decode(words)), manifest.maxTokens)
    const open = (bytes: Uint8Array) =>
      options.runExclusive(() =>
        options.ort.InferenceSession.create(bytes, { executionProviders: ['cpu'], intraOpNumThreads: 1 }),
      )
    const session = await open(model)
    return { manifest, tokenizer, session, reader: graph && (await open(graph)) }
  } catch (cause) {
    throw new PromptEncoderError(
      `The prompt encoder's files were read but do not make a model (${reason(cause)}). Remake them with python -m distill.export.prompt_encoder.`,
      { cause },
    )
  }
}

/** The reader that the world's manifest names, if it names one. */
async function readReader({ world, onNotice }: LoadEncoderOptions): Promise<Uint8Array | null> {
  if (!world) return null
  const { files } = await loadManifest(world.source, world.cache, onNotice)
  return files.reader ? loadFile(files.reader, { ...world, onBytes: () => {}, onNotice }) : null
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
