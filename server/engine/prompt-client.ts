import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { openPromptEncoder } from '../../src/model/prompt/client'
import type { PromptEncoder } from '../../src/model/prompt/types'
import { NodeWorker } from './node-worker'

export interface PromptThreadOptions {
  /** The encoder's folder, and that of the world that is conditioned. */
  readonly folder: string
  readonly world?: string
  readonly script?: URL
}

/**
 * A prompt encoder in a thread of its own: words that one player types must not hold up the tick of the others. The thread
 * starts, and the model loads, with the first of them.
 */
export function openPromptThread({ folder, world, script }: PromptThreadOptions): PromptEncoder {
  const address = (path: string) => pathToFileURL(path).href
  return openPromptEncoder({
    url: address(join(folder, 'encoder.json')),
    ...(world === undefined ? {} : { world: address(join(world, '/')) }),
    createWorker: () => new NodeWorker(script ?? new URL('./prompt-thread.mjs', import.meta.url)),
  })
}
