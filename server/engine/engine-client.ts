import { OneiroError, WorldClosedError } from '../../src/engine/errors'
import type { Prompt, PromptReceipt, ResetOptions, Snapshot } from '../../src/engine/world'
import { RequestPort } from '../../src/model/port/request-port'
import type { FrameFormat } from '../../src/net/protocol/messages'
import type { Embedded, Engine, Picture, Served, StepJob, StepResult } from './engine'
import { NodeWorker } from './node-worker'
import type { OpenEngineOptions } from './open-engine'

/** What crosses to the engine's thread. */
export interface EngineCalls extends Omit<Engine, 'served' | 'maxBatch' | 'lost'> {
  /** The first of all: loads the world and tests it. */
  open(options: OpenEngineOptions): Promise<Served>
}

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

/** The engine in a thread of its own, so that sockets never wait for a forward pass. */
export class ThreadedEngine implements Engine {
  readonly lost: Promise<Error>
  served!: Served
  readonly maxBatch: number
  private readonly thread = new NodeWorker(new URL('./engine-thread.mjs', import.meta.url))
  private readonly port: RequestPort<EngineCalls>
  private closing: Promise<void> | null = null

  private constructor(options: OpenEngineOptions) {
    this.maxBatch = options.maxBatch
    let lose: (error: Error) => void
    this.lost = new Promise((resolve) => {
      lose = resolve
    })
    this.port = new RequestPort({
      worker: this.thread,
      failure: (why, cause) => new EngineLostError(why, { cause }),
      onGone: (error) => lose(error),
    })
  }

  /** Starts the thread and waits until its world is loaded and tested. Rejects with what went wrong. */
  static async open(options: OpenEngineOptions): Promise<ThreadedEngine> {
    const engine = new ThreadedEngine(options)
    try {
      engine.served = await engine.port.call('open', [options])
      return engine
    } catch (error) {
      engine.port.end(error as Error)
      await engine.thread.gone
      throw error
    }
  }

  reset(session: string, options: ResetOptions, format: FrameFormat): Promise<Picture> {
    return this.port.call('reset', [session, options, format])
  }

  restore(session: string, snapshot: Snapshot, format: FrameFormat): Promise<Picture> {
    return this.port.call('restore', [session, snapshot, format])
  }

  setPrompt(session: string, prompt: Prompt | string): Promise<PromptReceipt> {
    return this.port.call('setPrompt', [session, prompt])
  }

  embed(session: string, text: string): Promise<Embedded> {
    return this.port.call('embed', [session, text])
  }

  hush(session: string): Promise<void> {
    return this.port.call('hush', [session])
  }

  snapshot(session: string): Promise<Snapshot> {
    return this.port.call('snapshot', [session])
  }

  show(session: string, formats: readonly FrameFormat[]): Promise<readonly Picture[]> {
    return this.port.call('show', [session, formats])
  }

  step(jobs: readonly StepJob[]): Promise<StepResult> {
    return this.port.call('step', [jobs])
  }

  free(session: string): Promise<void> {
    return this.port.call('free', [session])
  }

  close(): Promise<void> {
    this.closing ??= this.port
      .call('close', [])
      .catch(() => {})
      .then(() => {
        this.port.end(new WorldClosedError('step'))
        return this.thread.gone
      })
    return this.closing
  }
}
