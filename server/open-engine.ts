import { join } from 'node:path'
import * as ort from 'onnxruntime-node'
import { Serial } from '../src/engine/serial'
import { NO_CACHE } from '../src/model/assets'
import { openCpuBackend } from '../src/model/cpu-backend'
import { folderOnDisk, nodeSession } from '../src/model/node'
import { openPromptEncoderNode } from '../src/model/prompt/node'
import { selfTest } from '../src/model/self-test'
import { loadWorldFiles } from '../src/model/world-files'
import { BatchedDream } from './batched-dream'
import { DreamEngine } from './engine'

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

/** Opens an engine in this thread. Throws the named errors of the model. */
export async function openEngine(options: OpenEngineOptions): Promise<DreamEngine> {
  const { world, threads, provider, maxBatch } = options
  const files = await loadWorldFiles({ source: folderOnDisk(world), cache: NO_CACHE })
  const runs = new Serial()
  const session = nodeSession(threads, provider)
  const name = `node-${provider}`
  const single = await openCpuBackend({ ort, name, files, session, runs })
  await selfTest(single, files).finally(() => single.dispose())

  const encoder = openPromptEncoderNode({
    folder: join(world, '..', files.manifest.prompt.encoder),
    runExclusive: (job) => runs.run(job),
  })
  const dream = await BatchedDream.open({
    ort,
    files,
    session,
    runs,
    maxBatch,
    encodePrompt: (text) => encoder.encode(text),
  })
  return new DreamEngine(dream, files, maxBatch, name, () => encoder.dispose())
}
