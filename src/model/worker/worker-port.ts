import type { OneiroError } from '../../engine/errors'
import type { DreamEvent } from '../dream/dream-events'
import { BackendStalledError, fromWire, OpeningStalledError, WorkerFailedError } from '../errors'
import type { FromWorker, Opened, OpenMessage, ToWorker, WorkerCalls } from './protocol'

/** The part of a `Worker` that is used. */
export type WorkerLike = Pick<
  Worker,
  'postMessage' | 'terminate' | 'onmessage' | 'onerror' | 'onmessageerror'
>

export interface WorkerPortOptions {
  readonly open: OpenMessage['options']
  readonly createWorker: () => WorkerLike
  /** Seconds without a sign of life, while a call is under way, after which the worker counts as stalled; six times as many while it opens. */
  readonly stallSeconds: number
  /** Told of everything that is no answer. */
  readonly onMessage: (message: FromWorker) => void
  /** Told once when the worker is gone without `terminate` having been called. Calls under way are rejected before. */
  readonly onGone: (error: OneiroError) => void
}

interface Waiting {
  readonly name: keyof WorkerCalls
  resolve(value: unknown): void
  reject(error: OneiroError): void
}

/** One worker and the calls under way in it. */
export class WorkerPort {
  /** Settles with the worker's answer to `open`. */
  readonly opened: Promise<Opened>
  private readonly worker: WorkerLike
  private readonly waiting = new Map<number, Waiting>()
  private lastId = 0
  private quietSeconds = 0
  private opening = true
  private slow = false
  private recovering = false
  private over = false
  private readonly watchdog: ReturnType<typeof setInterval>
  private settleOpened!: { resolve(opened: Opened): void; reject(error: OneiroError): void }

  constructor(private readonly options: WorkerPortOptions) {
    this.opened = new Promise((resolve, reject) => {
      this.settleOpened = { resolve, reject }
    })
    // Whoever opened this hears of a failure through `opened`; without anyone it must not be an unhandled one.
    this.opened.catch(() => {})
    this.worker = options.createWorker()
    this.worker.onmessage = ({ data }: MessageEvent<FromWorker>) => this.receive(data)
    this.worker.onerror = (event) => {
      event.preventDefault?.()
      this.lose(new WorkerFailedError(event.message))
    }
    this.worker.onmessageerror = () => this.lose(new WorkerFailedError('a message could not be read'))
    // Counts its own firings and not the clock: a laptop that slept has not stalled.
    this.watchdog = setInterval(() => this.watch(), 1000)
    this.post({ kind: 'open', options: options.open })
  }

  call<Name extends keyof WorkerCalls>(
    name: Name,
    args: Parameters<WorkerCalls[Name]>,
    transfer: Transferable[] = [],
  ): ReturnType<WorkerCalls[Name]> {
    const id = ++this.lastId
    const answer = new Promise((resolve, reject) => {
      if (this.over) return reject(new WorkerFailedError('it was stopped'))
      if (this.waiting.size === 0) this.quietSeconds = 0
      this.waiting.set(id, { name, resolve, reject })
      this.post({ kind: 'call', id, name, args }, transfer)
    })
    return answer as ReturnType<WorkerCalls[Name]>
  }

  terminate(error: OneiroError = new WorkerFailedError('it was stopped')): void {
    if (this.over) return
    this.over = true
    clearInterval(this.watchdog)
    this.worker.terminate()
    this.settleOpened.reject(error)
    const calls = [...this.waiting.values()]
    this.waiting.clear()
    for (const call of calls) call.reject(error)
  }

  private receive(message: FromWorker): void {
    if (this.over) return
    this.quietSeconds = 0
    if (message.kind === 'event') this.heed(message.event)
    if (message.kind === 'opened') {
      this.opening = false
      this.slow = message.opened.slowGpu
      this.settleOpened.resolve(message.opened)
    } else if (message.kind === 'not-opened') this.terminate(fromWire(message.error))
    else if (message.kind === 'result' || message.kind === 'error') {
      const call = this.waiting.get(message.id)
      this.waiting.delete(message.id)
      if (message.kind === 'result') call?.resolve(message.value)
      else call?.reject(fromWire(message.error))
    } else this.options.onMessage(message)
  }

  /** A new device compiles its graphs without a word: that is no stall. */
  private heed({ type }: DreamEvent): void {
    if (type === 'device-lost') this.recovering = true
    else if (type === 'recovered' || type === 'failed') this.recovering = false
  }

  private watch(): void {
    const [first] = this.waiting.values()
    if (!first && !this.opening) return
    const limit = this.options.stallSeconds * (this.slow || this.recovering || this.opening ? 6 : 1)
    if (++this.quietSeconds < limit) return
    this.lose(first ? new BackendStalledError(first.name, limit) : new OpeningStalledError(limit))
  }

  private lose(error: OneiroError): void {
    if (this.over) return
    this.terminate(error)
    this.options.onGone(error)
  }

  private post(message: ToWorker, transfer: Transferable[] = []): void {
    this.worker.postMessage(message, transfer)
  }
}
