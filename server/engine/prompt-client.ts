import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import { openPromptEncoder, type WorkerLike } from '../../src/model/prompt/client'
import type { PromptEncoder } from '../../src/model/prompt/types'

export interface PromptThreadOptions {
  /** The encoder's folder, and that of the world that is to be told. */
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

/** A thread of Node with the face of a browser's worker. */
class NodeWorker implements WorkerLike {
  onmessage: WorkerLike['onmessage'] = null
  onerror: WorkerLike['onerror'] = null
  onmessageerror: WorkerLike['onmessageerror'] = null
  private readonly thread: Worker
  private over = false

  constructor(script: URL) {
    this.thread = new Worker(script)
    this.thread.on('message', (data) => this.onmessage?.call(SELF, { data } as MessageEvent))
    this.thread.on('messageerror', (data) => this.onmessageerror?.call(SELF, { data } as MessageEvent))
    this.thread.on('error', ({ message }) => this.end(message))
    this.thread.on('exit', (status) => this.end(`exit status ${status}`))
  }

  postMessage(message: unknown): void {
    this.thread.postMessage(message)
  }

  terminate(): void {
    this.over = true
    void this.thread.terminate()
  }

  /** Once: whoever is told has another thread by the time that this one's exit is heard of. */
  private end(message: string): void {
    if (this.over) return
    this.over = true
    this.onerror?.call(SELF, { message } as ErrorEvent)
  }
}

/** Browsers call handlers on the worker; nobody here looks at it. */
const SELF = undefined as unknown as globalThis.Worker
