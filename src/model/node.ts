import { readFile } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import * as ort from 'onnxruntime-node'
import { TaskQueue } from '../engine/task-queue'
import { manifestIn } from './assets/address'
import { type AssetSource, NO_CACHE } from './assets/assets'
import { loadWorldFiles, type TellProgress } from './assets/world-files'
import { openCpuBackend } from './backends/cpu-backend'
import { BatchedDream } from './dream/batched-dream'
import { DreamWorld } from './dream/dream-world'
import { LatentDecoder } from './dream/latent-decoder'
import { selfTest } from './dream/self-test'
import { AssetMissingError, AssetUnreachableError } from './errors'
import { openPromptEncoderNode } from './prompt/node'

export interface OpenDreamNodeOptions {
  /** Threads inside one run. Default 2; README.md of this folder has the measurement. */
  readonly threads?: number
  /** Execution provider of onnxruntime-node. Default `cpu`; the same bits every time are promised for that one only. */
  readonly provider?: string
  /** Folder of the sentence encoder. Default: the one that the manifest names, beside the world's folder. */
  readonly promptEncoder?: string
  readonly onProgress?: TellProgress
}

/**
 * Opens the dream in the folder `dir` (it holds `world.json`; or name another manifest in it) on onnxruntime-node. Close it when done.
 *
 * A run blocks the event loop for its length, as the binding computes on the calling thread; a server puts it in a
 * worker thread.
 *
 * @example
 * const dream = await openDreamNode('assets/drive')
 * await dream.reset({ seed: 7, prompt: 'a snowy night drive' })
 * const { frame } = await dream.step(spaceOf(dream.info.controls).idle)
 */
export async function openDreamNode(dir: string, options: OpenDreamNodeOptions = {}): Promise<DreamWorld> {
  const { threads = 2, provider = 'cpu', onProgress = () => {} } = options
  const files = await loadWorldFiles({ source: folderOnDisk(dir), cache: NO_CACHE, onProgress })
  const runs = new TaskQueue()
  onProgress({ phase: 'compile', loaded: 0, total: 1 })
  const backend = await openCpuBackend({
    ort,
    name: `node-${provider}`,
    files,
    session: nodeSession(threads, provider),
    runs,
  })
  try {
    onProgress({ phase: 'self-test', loaded: 0, total: 1 })
    await selfTest(backend, files)
  } catch (error) {
    await backend.dispose()
    throw error
  }
  onProgress({ phase: 'ready', loaded: 1, total: 1 })

  const { prompt } = files.manifest
  const encoder =
    prompt &&
    openPromptEncoderNode({
      folder: options.promptEncoder ?? join(folderOf(dir), '..', prompt.encoder),
      world: folderOf(dir),
      runExclusive: (job) => runs.run(job),
    })
  const encodePrompt = encoder && ((text: string) => encoder.encode(text))
  return new DreamWorld({
    ...{ files, backend, encodePrompt },
    openBatch: (maxBatch) =>
      BatchedDream.open({
        ...{ ort, files, maxBatch, runs, encodePrompt },
        name: `node-${provider}`,
        session: nodeSession(threads, provider),
      }),
    onClose: async () => encoder?.dispose(),
  })
}

/** The decoder of the world in the folder `dir`, for the latents that a server sends. */
export function openDecoderNode(dir: string, threads: number): Promise<LatentDecoder> {
  return LatentDecoder.open({
    ...{ ort, source: folderOnDisk(dir), cache: NO_CACHE, session: nodeSession(threads) },
  })
}

/** How sessions run in Node, for `threads` inside one run. */
export function nodeSession(threads: number, provider = 'cpu'): ort.InferenceSession.SessionOptions {
  return {
    executionProviders: [provider],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    // Threads that spin while they wait take the core from whoever works on it.
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  }
}

/** A folder on disk as a source of assets; `path` is the folder's, or that of another manifest in it. */
export function folderOnDisk(path: string): AssetSource {
  const where = resolve(folderOf(path))
  return {
    where,
    manifest: manifestIn(path),
    async read(file, onBytes) {
      try {
        const bytes = new Uint8Array(await readFile(join(where, file)))
        onBytes?.(bytes.length)
        return bytes
      } catch (cause) {
        const code = (cause as NodeJS.ErrnoException).code
        // The folder's own name, not the whole path: messages travel further than machines.
        const place = `the folder "${basename(where)}"`
        if (code === 'ENOENT' || code === 'ENOTDIR') throw new AssetMissingError(file, place, { cause })
        throw new AssetUnreachableError(file, String(code ?? cause), { cause })
      }
    },
  }
}

function folderOf(path: string): string {
  return path.endsWith('.json') ? dirname(path) : path
}
