import { AssetCorruptError, ManifestInvalidError } from '../errors'
import type { TellNotice } from '../notices'
import { type AssetCache, type AssetSource, loadFile, readNewest, sha256 } from './assets'
import { type Manifest, parseManifest, promptKey, type WorldShape, worldShape } from './manifest'
import { type FloatTensor, readSafetensors } from './safetensors'

/** How far loading is. `loaded` and `total` are bytes while `phase` is `download`, steps otherwise. */
export interface LoadProgress {
  readonly phase: 'manifest' | 'download' | 'compile' | 'self-test' | 'calibrate' | 'ready'
  readonly loaded: number
  readonly total: number
}

export type TellProgress = (progress: LoadProgress) => void

/** A state to begin from. */
export interface StartState {
  readonly id: string
  readonly caption: string
  readonly embedding: Float32Array
  /** [R,T,C], newest first. */
  readonly latents: Float32Array
  /** [A-1,D], the most recent first. */
  readonly actions: Float32Array
}

/** How a drive from words alone may begin; row i of both belongs together. */
export interface Beginnings {
  /** [N,n,C]: the last tokens of a latent, what the instruments read. */
  readonly instruments: FloatTensor
  /** [N,A-1,D], the most recent first. */
  readonly actions: FloatTensor
}

/** Everything of a world that the dream needs, in memory. */
export interface WorldFiles {
  readonly manifest: Manifest
  readonly shape: WorldShape
  readonly starts: readonly StartState[]
  /** Left out in a world whose drives begin at one of its starts. */
  readonly beginnings?: Beginnings
  /** Embeddings of the presets and captions, by their words. */
  readonly knownPrompts: ReadonlyMap<string, Float32Array>
  readonly student: Uint8Array
  readonly decoder: Uint8Array
}

export interface LoadWorldOptions {
  readonly source: AssetSource
  readonly cache: AssetCache
  readonly onProgress?: TellProgress
  readonly onNotice?: TellNotice
}

/** Loads and checks a world's folder. Throws the named errors of `errors.ts`. */
export async function loadWorldFiles(options: LoadWorldOptions): Promise<WorldFiles> {
  const { source, cache, onProgress = () => {}, onNotice = () => {} } = options
  onProgress({ phase: 'manifest', loaded: 0, total: 1 })
  const manifest = await loadManifest(source, cache, onNotice)
  const shape = worldShape(manifest)

  const files = [manifest.files.starts, manifest.files.decoder, manifest.files.student]
  const total = files.reduce((sum, file) => sum + file.bytes, 0)
  const loaded = files.map(() => 0)
  const report = () => onProgress({ phase: 'download', loaded: loaded.reduce((a, b) => a + b), total })
  report()
  const [starts, decoder, student] = await Promise.all(
    files.map((file, i) => {
      const onBytes = (bytes: number) => {
        loaded[i] = Math.min(bytes, file.bytes)
        report()
      }
      return loadFile(file, { source, cache, onBytes, onNotice })
    }),
  )
  await checkModelHash(manifest)
  const tensors = readSafetensors(starts!, manifest.files.starts.path)
  return {
    manifest,
    shape,
    ...readStarts(manifest, shape, tensors),
    student: student!,
    decoder: decoder!,
  }
}

/** `world.json`, or another manifest that the source names, kept and checked. */
export async function loadManifest(
  source: AssetSource,
  cache: AssetCache,
  tell: TellNotice,
): Promise<Manifest> {
  return readNewest(source.manifest ?? 'world.json', { source, cache, onNotice: tell }, (bytes) =>
    parseManifest(new TextDecoder().decode(bytes)),
  )
}

async function checkModelHash(manifest: Manifest): Promise<void> {
  const { student, decoder } = manifest.files
  const expected = await sha256(new TextEncoder().encode(student.sha256 + decoder.sha256))
  if (expected !== null && expected !== manifest.modelHash) {
    throw new ManifestInvalidError(
      `modelHash is ${manifest.modelHash.slice(0, 12)}…, but its student and decoder make ${expected.slice(0, 12)}…`,
    )
  }
}

function readStarts(
  manifest: Manifest,
  shape: WorldShape,
  tensors: Map<string, FloatTensor>,
): Pick<WorldFiles, 'starts' | 'beginnings' | 'knownPrompts'> {
  const file = manifest.files.starts.path
  /** Row `index` of a tensor whose rows hold `length` floats. */
  const row = (name: string, index: number, length: number): Float32Array => {
    const tensor = tensors.get(name)
    if (!tensor) throw new AssetCorruptError(file, `it has no tensor "${name}"`)
    const rows = tensor.shape[0] ?? 0
    if (tensor.data.length !== rows * length || index >= rows) {
      throw new AssetCorruptError(
        file,
        `"${name}" is [${tensor.shape}], but row ${index} of ${length} values is needed`,
      )
    }
    return tensor.data.slice(index * length, (index + 1) * length)
  }

  const knownPrompts = new Map<string, Float32Array>()
  for (const preset of manifest.presets) {
    knownPrompts.set(promptKey(preset.text), row('promptEmbeddings', preset.embedding, shape.promptDim))
  }
  const starts = manifest.starts.map(({ id, caption, index, embedding }): StartState => {
    const words =
      embedding === undefined
        ? (knownPrompts.get(promptKey(caption)) ?? new Float32Array())
        : row('promptEmbeddings', embedding, shape.promptDim)
    if (manifest.prompt) knownPrompts.set(promptKey(caption), words)
    return {
      id,
      caption,
      embedding: words,
      latents: row('latents', index, shape.ringLength * shape.latentLength),
      actions: row('actions', index, (shape.actionCount - 1) * shape.actionDims),
    }
  })
  if (!manifest.beginnings) return { starts, knownPrompts }
  const [instruments, actions] = ['beginnings', 'beginningActions'].map((name) => tensors.get(name))
  const each = (shape.actionCount - 1) * shape.actionDims
  const [count = 0, tokens = 0, channels = 0] = instruments?.shape ?? []
  const reads = Math.ceil((manifest.telemetry?.length ?? 0) / shape.channels)
  const fits = count > 0 && tokens === reads && channels === shape.channels
  if (!instruments || !actions || !fits || actions.data.length !== count * each) {
    throw new AssetCorruptError(
      file,
      'world.json says that drives begin from words, but it has no "beginnings" for them',
    )
  }
  return { starts, beginnings: { instruments, actions }, knownPrompts }
}
