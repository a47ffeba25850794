import { Worker } from 'node:worker_threads'
import { OneiroError, WorldClosedError } from '../../src/engine/errors'
import type { Prompt, PromptReceipt, ResetOptions, Snapshot } from '../../src/engine/world'
import { fromWire, type WireError } from '../../src/model/errors'
import type { FrameFormat } from '../../src/net/protocol/messages'
import type { Embedded, Engine, Picture, Served, StepJob, StepResult } from './engine'
import type { OpenEngineOptions } from './open-engine'

/** Calls that cross to the engine's thread. */
type CallName =
  | 'reset'
  | 'restore'
  | 'setPrompt'
  | 'embed'
  | 'hush'
  | 'snapshot'
  | 'show'
  | 'step'
  | 'free'
  | 'close'

export interface ThreadCall {
  readonly id: number
  readonly call: CallName
  readonly args: readonly unknown[]
}

/** Id 0 answers the opening. */
export type ThreadAnswer =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: WireError }

/** The engine's thread ended by itself. */
export class EngineLostError extends OneiroError {
  constructor(why: string, options?: { cause?: unknown }) {
    super(
      'ENGINE_LOST',
      `The thread that computes the dreams ended (${why}). Start the server again.`,
      options,
    )
  }
}

interface Waiting {
  resolve(value: never): void
  reject(error: Error): void
}

/** The engine in a thread of its own, so that sockets never wait for a forward pass. */
export class ThreadedEngine implements Engine {
  readonly lost: Promise<Error>
  served!: Served
  readonly maxBatch: number
  private readonly worker: Worker
  private readonly waiting = new Map<number, Waiting>()
  private lastId = 0
  private ended: Error | null = null
  private closing: Promise<void> | null = null

  private constructor(options: OpenEngineOptions) {
    this.maxBatch = options.maxBatch
    this.worker = new Worker(new URL('./engine-thread.mjs', import.meta.url), { workerData: options })
    this.worker.on('message', (answer: ThreadAnswer) => this.receive(answer))
    this.lost = new Promise((resolve) => {
      const end = (why: string, cause?: unknown) => {
        if (this.ended) return
        this.ended = this.closing ? new WorldClosedError('step') : new EngineLostError(why, { cause })
        for (const { reject } of this.waiting.values()) reject(this.ended)
        this.waiting.clear()
        if (!this.closing) resolve(this.ended)
      }
      this.worker.on('error', (error) => end(error.message, error))
      this.worker.on('messageerror', (error) => end('a message could not be read', error))
      this.worker.on('exit', (status) => end(`exit status ${status}`))
    })
  }

  /** Starts the thread and waits until its world is loaded and tested. Rejects with what went wrong. */
  static async open(options: OpenEngineOptions): Promise<ThreadedEngine> {
    const engine = new ThreadedEngine(options)
    try {
      engine.served = await new Promise<Served>((resolve, reject) => {
        engine.waiting.set(0, { resolve, reject })
      })
      return engine
    } catch (error) {
      await engine.worker.terminate()
      throw error
    }
  }

  reset(session: string, options: ResetOptions, format: FrameFormat): Promise<Picture> {
    return this.call('reset', session, options, format)
  }

  restore(session: string, snapshot: Snapshot, format: FrameFormat): Promise<Picture> {
    return this.call('restore', session, snapshot, format)
  }

  setPrompt(session: string, prompt: Prompt | string): Promise<PromptReceipt> {
    return this.call('setPrompt', session, prompt)
  }

  embed(session: string, text: string): Promise<Embedded> {
    return this.call('embed', session, text)
  }

  hush(session: string): Promise<void> {
    return this.call('hush', session)
  }

  snapshot(session: string): Promise<Snapshot> {
    return this.call('snapshot', session)
  }

  show(session: string, formats: readonly FrameFormat[]): Promise<readonly Picture[]> {
    return this.call('show', session, formats)
  }

  step(jobs: readonly StepJob[]): Promise<StepResult> {
    return this.call('step', jobs)
  }

  free(session: string): Promise<void> {
    return this.call('free', session)
  }

  close(): Promise<void> {
    this.closing ??= this.call<void>('close')
      .catch(() => {})
      .then(async () => {
        await this.worker.terminate()
      })
    return this.closing
  }

  private call<Value>(call: CallName, ...args: unknown[]): Promise<Value> {
    if (this.ended) return Promise.reject(this.ended)
    return new Promise<Value>((resolve, reject) => {
      const id = ++this.lastId
      this.waiting.set(id, { resolve, reject })
      this.worker.postMessage({ id, call, args } satisfies ThreadCall)
    })
  }

  private receive(answer: ThreadAnswer): void {
    const waiting = this.waiting.get(answer.id)
    this.waiting.delete(answer.id)
    if ('error' in answer) waiting?.reject(fromWire(answer.error))
    else waiting?.resolve(answer.value as never)
  }
}
