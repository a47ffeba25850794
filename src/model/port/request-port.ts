import type { OneiroError } from '../../engine/errors'
import { fromWire, type WireError, WorkerFailedError } from '../errors'

/** The part of a `Worker` that is used; a thread of Node gets that face by `server/engine/node-worker.ts`. */
export type WorkerLike = Pick<
  Worker,
  'postMessage' | 'terminate' | 'onmessage' | 'onerror' | 'onmessageerror'
>

export interface Request {
  readonly id: number
  readonly name: string
  readonly args: readonly unknown[]
}

/** An answer, or what the other side says by itself. They come in the order in which they were sent. */
export type Reply =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: WireError }
  | { readonly event: unknown }

/** The names of the calls that the other side answers. */
export type CallName<Calls> = keyof Calls & string
type Call<Calls, Name extends CallName<Calls>> = Extract<Calls[Name], (...args: never[]) => Promise<unknown>>

export interface RequestPortOptions<Calls, Event> {
  readonly worker: WorkerLike
  readonly onEvent?: (event: Event) => void
  /** Told once where the worker ends by itself. What was asked has rejected with the same error before. */
  readonly onGone?: (error: OneiroError) => void
  /** What such an end is called. Left out, `WorkerFailedError`. */
  readonly failure?: (why: string, cause?: unknown) => OneiroError
  /** Left out, an answer may take for ever. */
  readonly watchdog?: Watchdog<Calls>
}

export interface Watchdog<Calls> {
  /** Seconds without a word from the worker, while something is asked of it, after which it counts as stalled. */
  seconds(): number
  stalled(oldest: CallName<Calls>, seconds: number): OneiroError
}

interface Waiting<Name> {
  readonly name: Name
  resolve(value: unknown): void
  reject(error: Error): void
}

/**
 * Calls into a worker or a thread, where `answerCalls` carries them out. Whatever was asked settles: with the answer, or with
 * what the worker ended with.
 *
 * @example
 * const port = new RequestPort<Calls, Event>({ worker: new Worker(...), onEvent: show })
 * const tick = await port.call('step', [action])
 */
export class RequestPort<Calls, Event = never> {
  private readonly worker: WorkerLike
  private readonly waiting = new Map<number, Waiting<CallName<Calls>>>()
  private lastId = 0
  private quietSeconds = 0
  private over: Error | null = null
  private readonly timer: ReturnType<typeof setInterval> | undefined

  constructor(private readonly options: RequestPortOptions<Calls, Event>) {
    this.worker = options.worker
    this.worker.onmessage = ({ data }: MessageEvent<Reply>) => this.receive(data)
    this.worker.onerror = (event) => {
      event.preventDefault?.()
      this.fail(event.message || 'its script did not load', event.error)
    }
    this.worker.onmessageerror = () => this.fail('a message could not be read')
    // Counts its own firings and not the clock: a laptop that slept has not stalled.
    if (options.watchdog) this.timer = setInterval(() => this.watch(options.watchdog!), 1000)
  }

  /** True once the worker is gone. */
  get ended(): boolean {
    return this.over !== null
  }

  call<Name extends CallName<Calls>>(
    name: Name,
    args: Parameters<Call<Calls, Name>>,
    transfer: Transferable[] = [],
  ): Promise<Awaited<ReturnType<Call<Calls, Name>>>> {
    return new Promise((resolve, reject) => {
      if (this.over) return reject(this.over)
      const id = ++this.lastId
      this.waiting.set(id, { name, resolve: resolve as (value: unknown) => void, reject })
      this.worker.postMessage({ id, name, args } satisfies Request, transfer)
    })
  }

  /** Stops the worker. What was asked rejects with `error`, and so does whatever is asked from now on. Idempotent. */
  end(error: Error): void {
    if (this.over) return
    this.over = error
    clearInterval(this.timer)
    this.worker.terminate()
    const calls = [...this.waiting.values()]
    this.waiting.clear()
    for (const { reject } of calls) reject(error)
  }

  private receive(reply: Reply): void {
    if (this.over) return
    this.quietSeconds = 0
    if ('event' in reply) {
      this.options.onEvent?.(reply.event as Event)
      return
    }
    const call = this.waiting.get(reply.id)
    this.waiting.delete(reply.id)
    if ('error' in reply) call?.reject(fromWire(reply.error))
    else call?.resolve(reply.value)
  }

  private watch({ seconds, stalled }: Watchdog<Calls>): void {
    const [oldest] = this.waiting.values()
    if (!oldest) return
    const limit = seconds()
    if (++this.quietSeconds >= limit) this.lose(stalled(oldest.name, limit))
  }

  private fail(why: string, cause?: unknown): void {
    this.lose((this.options.failure ?? ((text) => new WorkerFailedError(text)))(why, cause))
  }

  private lose(error: OneiroError): void {
    if (this.over) return
    this.end(error)
    this.options.onGone?.(error)
  }
}
