import type { InferenceSession } from 'onnxruntime-common'
import { type AssetCache, type AssetSource, loadFile, readNewest } from '../assets/assets'
import { loadManifest } from '../assets/world-files'
import type { TellNotice } from '../notices'
import { PromptEncoderError, reason } from './errors'
import { type EncoderManifest, parseEncoderManifest } from './manifest'
import { createPromptTokenizer, type PromptTokenizer } from './tokenizer'
import type { EncoderProgress, PromptOrt, WorldFolder } from './types'

export interface LoadOptions {
  readonly ort: PromptOrt
  readonly source: AssetSource
  readonly cache: AssetCache
  /** Name of the manifest in the folder. */
  readonly manifest: string
  readonly onProgress: (progress: EncoderProgress) => void
  readonly onNotice: TellNotice
  readonly runExclusive: <T>(job: () => Promise<T>) => Promise<T>
}

/** What embeds sentences. Worlds may share it: it knows none of them. */
export interface SentenceModel {
  readonly manifest: EncoderManifest
  readonly tokenizer: PromptTokenizer
  readonly session: InferenceSession
}

/** Reads the encoder's folder, checks it and makes the session. Throws `PromptEncoderError` with the cause. */
export async function loadSentenceModel(options: LoadOptions): Promise<SentenceModel> {
  const { manifest, model, words } = await reading(async () => {
    const manifest = await readNewest(options.manifest, options, parseEncoderManifest)
    const [model, words] = await readFiles(manifest, options)
    return { manifest, model, words }
  })
  return making(async () => {
    const tokenizer = createPromptTokenizer(JSON.parse(new TextDecoder().decode(words)), manifest.maxTokens)
    return { manifest, tokenizer, session: await openGraph(model, options) }
  })
}

/** The graph from embeddings of phrases to the world's prompt labels; null where its manifest names none. */
export async function loadClassifier(
  world: WorldFolder,
  options: Pick<LoadOptions, 'ort' | 'onNotice' | 'runExclusive'>,
): Promise<InferenceSession | null> {
  const { onNotice } = options
  const graph = await reading(async () => {
    const { files } = await loadManifest(world.source, world.cache, onNotice)
    return files.reader ? loadFile(files.reader, { ...world, onBytes: () => {}, onNotice }) : null
  })
  return graph && making(() => openGraph(graph, options))
}

function openGraph(
  bytes: Uint8Array,
  { ort, runExclusive }: Pick<LoadOptions, 'ort' | 'runExclusive'>,
): Promise<InferenceSession> {
  return runExclusive(() =>
    ort.InferenceSession.create(bytes, { executionProviders: ['cpu'], intraOpNumThreads: 1 }),
  )
}

async function reading<T>(job: () => Promise<T>): Promise<T> {
  try {
    return await job()
  } catch (cause) {
    throw new PromptEncoderError(`The prompt encoder could not be loaded: ${reason(cause)}`, { cause })
  }
}

async function making<T>(job: () => Promise<T>): Promise<T> {
  try {
    return await job()
  } catch (cause) {
    throw new PromptEncoderError(
      `The prompt encoder's files were read but do not make a model (${reason(cause)}). Remake them with python -m distill.export.prompt_encoder.`,
      { cause },
    )
  }
}

async function readFiles(
  { files }: EncoderManifest,
  { source, cache, onProgress, onNotice }: LoadOptions,
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
