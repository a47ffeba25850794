import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as ort from 'onnxruntime-node'
import { createPromptEncoder, type PromptEncoderOptions } from './encoder'
import { checkedFiles } from './files'
import type { PromptEncoder } from './types'

export interface NodePromptEncoderOptions extends Pick<PromptEncoderOptions, 'onNotice' | 'runExclusive'> {
  /** The folder of `encoder.json`, for example `assets/prompt-encoder`. */
  readonly folder: string
}

/** A prompt encoder in this thread of Node, reading its files from a folder at the first `encode`. */
export function openPromptEncoderNode(options: NodePromptEncoderOptions): PromptEncoder {
  const files = checkedFiles((path) => readFile(join(options.folder, path)))
  return createPromptEncoder({ ort, files, onNotice: options.onNotice, runExclusive: options.runExclusive })
}
