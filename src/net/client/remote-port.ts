import { type Remote, releaseProxy, wrap } from 'comlink'
import type { OneiroError } from '../../engine/errors'
import { WorkerFailedError } from '../../model/errors'
import type { RemoteHost } from './remote-host'

/** The worker of a remote world, and what was asked of it: comlink alone would wait for ever where it is gone. */
export class RemotePort {
  private readonly host: Remote<RemoteHost>
  private readonly waiting = new Set<(error: Error) => void>()
  private over: Error | null = null

  /** `onLost` is told once where the worker does not load or dies; what was asked has rejected before. */
  constructor(
    private readonly worker: Worker,
    private readonly onLost: (error: OneiroError) => void = () => {},
  ) {
    this.host = wrap<RemoteHost>(worker)
    worker.onerror = (event) => {
      event.preventDefault?.()
      this.lose(event.message || 'its script did not load')
    }
    worker.onmessageerror = () => this.lose('a message could not be read')
  }

  /** True once the worker is gone. */
  get ended(): boolean {
    return this.over !== null
  }

  /** The worker's answer, or what the worker ended with. */
  ask<Answer>(question: (host: Remote<RemoteHost>) => Promise<Answer>): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (this.over) return reject(this.over)
      this.waiting.add(reject)
      question(this.host)
        .then(resolve, reject)
        .finally(() => this.waiting.delete(reject))
    })
  }

  /** Stops the worker, and its socket with it. Twice is harmless. */
  end(error: Error): void {
    if (this.over) return
    this.over = error
    this.host[releaseProxy]()
    this.worker.terminate()
    for (const reject of this.waiting) reject(error)
    this.waiting.clear()
  }

  private lose(why: string): void {
    if (this.over) return
    const error = new WorkerFailedError(why)
    this.end(error)
    this.onLost(error)
  }
}
