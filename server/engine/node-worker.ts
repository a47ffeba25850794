/** Threads of Node with the faces of a browser's workers, for `RequestPort` and `answerCalls`. */
import { parentPort, Worker, type WorkerOptions } from 'node:worker_threads'
import type { PortScope } from '../../src/model/port/answer-calls'
import type { WorkerLike } from '../../src/model/port/request-port'

/** A thread, as the one that started it sees it. */
export class NodeWorker implements WorkerLike {
  onmessage: WorkerLike['onmessage'] = null
  onerror: WorkerLike['onerror'] = null
  onmessageerror: WorkerLike['onmessageerror'] = null
  /** Resolves once the thread is gone. */
  readonly gone: Promise<void>
  private readonly thread: Worker
  private over = false

  constructor(script: URL, options?: WorkerOptions) {
    this.thread = new Worker(script, options)
    this.thread.on('message', (data) => this.onmessage?.call(SELF, { data } as MessageEvent))
    this.thread.on('messageerror', (data) => this.onmessageerror?.call(SELF, { data } as MessageEvent))
    this.thread.on('error', (error) => this.end(error.message, error))
    this.gone = new Promise((resolve) => {
      this.thread.on('exit', (status) => {
        this.end(`exit status ${status}`)
        resolve()
      })
    })
  }

  postMessage(message: unknown): void {
    this.thread.postMessage(message)
  }

  terminate(): void {
    this.over = true
    void this.thread.terminate()
  }

  /** Once: whoever is told has another thread by the time that this one's exit is heard of. */
  private end(message: string, error?: Error): void {
    if (this.over) return
    this.over = true
    this.onerror?.call(SELF, { message, error } as ErrorEvent)
  }
}

/** This thread, as seen from inside. */
export function threadScope(): PortScope {
  const port = parentPort!
  const scope: PortScope = {
    onmessage: null,
    postMessage: (message, transfer) => port.postMessage(message, transfer as ArrayBuffer[]),
  }
  port.on('message', (data) => scope.onmessage?.({ data } as MessageEvent))
  return scope
}

/** Browsers call handlers on the worker; nobody here looks at it. */
const SELF = undefined as unknown as globalThis.Worker
