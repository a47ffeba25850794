import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as ort from 'onnxruntime-node'
import { AssetMissingError } from '../errors'
import { createPromptEncoder, type PromptEncoderOptions } from './encoder'
import type { PromptEncoder } from './types'

export interface NodePromptEncoderOptions extends Pick<PromptEncoderOptions, 'onNotice' | 'runExclusive'> {
  /** The folder of `encoder.json`, for example `assets/prompt-encoder`. */
  readonly folder: string
}

/** A prompt encoder in this thread of Node, reading its files from a folder at the first `encode`. */
export function openPromptEncoderNode({ folder, ...options }: NodePromptEncoderOptions): PromptEncoder {
  const read = async (path: string): Promise<Uint8Array> => {
    try {
      return await readFile(join(folder, path))
    } catch (cause) {
      throw new AssetMissingError(path, folder, { cause })
    }
  }
  return createPromptEncoder({ ort, source: { where: folder, read }, ...options })
}
