import { join } from 'node:path'
import * as ortNode from 'onnxruntime-node'
import { NO_CACHE } from '../../src/model/assets/assets'
import { loadWorldFiles } from '../../src/model/assets/world-files'
import type { Ort } from '../../src/model/backends/backend'
import { BatchedDream } from '../../src/model/dream/batched-dream'
import { folderOnDisk, nodeSession } from '../../src/model/node'
import { DreamEngine } from './engine'
import { openPromptThread } from './prompt-client'
import { selfTest } from './self-test'

export interface OpenEngineOptions {
  /** The world's folder. */
  readonly world: string
  /** Threads inside one run. */
  readonly threads: number
  /** Execution provider of onnxruntime-node, for example `cpu` or `cuda`. */
  readonly provider: string
  /** Sessions in one run at most. */
  readonly maxBatch: number
}

/** Opens an engine in this thread, and a thread beside it for words. Throws the named errors of the model. */
export async function openEngine(options: OpenEngineOptions, ort: Ort = ortNode): Promise<DreamEngine> {
  const { world, threads, provider, maxBatch } = options
  const files = await loadWorldFiles({ source: folderOnDisk(world), cache: NO_CACHE })
  const name = `node-${provider}`
  const { prompt } = files.manifest
  const encoder = prompt ? openPromptThread({ folder: join(world, '..', prompt.encoder), world }) : null
  const dream = await BatchedDream.open({
    ort,
    name: 'server',
    files,
    session: nodeSession(threads, provider),
    maxBatch,
    ...(encoder ? { encodePrompt: (text: string) => encoder.encode(text) } : {}),
  })
  try {
    await selfTest(dream, files, name)
  } catch (error) {
    await dream.close()
    throw error
  }
  return new DreamEngine(dream, files, maxBatch, name, async () => encoder?.dispose())
}
