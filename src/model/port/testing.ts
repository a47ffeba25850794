import { toWire } from '../errors'
import type { Reply, Request, WorkerLike } from './request-port'

/** A worker that does nothing by itself: the test speaks for it. */
export class FakeWorker implements WorkerLike {
  onmessage: WorkerLike['onmessage'] = null
  onerror: WorkerLike['onerror'] = null
  onmessageerror: WorkerLike['onmessageerror'] = null
  readonly calls: Request[] = []
  terminated = false

  postMessage(message: Request): void {
    this.calls.push(message)
  }

  terminate(): void {
    this.terminated = true
  }

  die(message: string): void {
    this.onerror?.call(this as unknown as Worker, { message } as ErrorEvent)
  }

  tell(event: unknown): void {
    this.reply({ event })
  }

  /** Answers a call, the newest where none is named. */
  answer(value: unknown, id = this.calls.at(-1)!.id): void {
    this.reply({ id, value })
  }

  refuse(error: Error, id = this.calls.at(-1)!.id): void {
    this.reply({ id, error: toWire(error) })
  }

  private reply(data: Reply): void {
    this.onmessage?.call(this as unknown as Worker, { data } as MessageEvent)
  }
}
