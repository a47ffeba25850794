import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import * as ort from 'onnxruntime-node'
import { TaskQueue } from '../../engine/task-queue'
import { type AssetSource, NO_CACHE } from '../assets/assets'
import { AssetMissingError } from '../errors'
import { createPromptEncoder, type PromptEncoderOptions } from './encoder'
import { ownSentences, sharedSentences } from './sentences'
import type { PromptEncoder } from './types'

export interface NodePromptEncoderOptions extends Pick<PromptEncoderOptions, 'onNotice' | 'runExclusive'> {
  /** The world's folder; left out, `encode` gives sentence embeddings. */
  readonly world?: string
  /** The folder of `encoder.json`, for example `assets/prompt-encoder`. */
  readonly folder: string
}

/**
 * A prompt encoder in this thread of Node, reading its files from a folder at the first `encode`. All of one folder have one
 * model of sentences, until the last is disposed of.
 */
export function openPromptEncoderNode({
  folder,
  world,
  ...options
}: NodePromptEncoderOptions): PromptEncoder {
  const source = onDisk(folder)
  return createPromptEncoder({
    ort,
    source,
    sentences: sharedSentences(resolve(folder), () => {
      const runs = new TaskQueue()
      return ownSentences({
        ...{ ort, source, cache: NO_CACHE, manifest: 'encoder.json' },
        onProgress: () => {},
        onNotice: () => {},
        runExclusive: (job) => runs.run(job),
      })
    }),
    ...(world === undefined ? {} : { world: { source: onDisk(world), cache: NO_CACHE } }),
    ...options,
  })
}

function onDisk(folder: string): AssetSource {
  return {
    where: folder,
    async read(path) {
      try {
        return await readFile(join(folder, path))
      } catch (cause) {
        throw new AssetMissingError(path, folder, { cause })
      }
    },
  }
}
