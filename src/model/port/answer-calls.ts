import { toWire } from '../errors'
import type { Reply, Request } from './request-port'

/** The part of a worker's global scope that is used. */
export interface PortScope {
  onmessage: ((event: MessageEvent) => void) | null
  postMessage(message: unknown, transfer: Transferable[]): void
}

export interface AnswerOptions {
  /** What of an answer moves instead of being copied. */
  readonly transfer?: (value: unknown) => Transferable[]
}

/**
 * The other end of a `RequestPort`: carries out each call as it comes and answers it. `make` is given what tells events and
 * returns the calls.
 */
export function answerCalls<Event>(
  scope: PortScope,
  make: (tell: (event: Event) => void) => object,
  { transfer = () => [] }: AnswerOptions = {},
): void {
  const reply = (message: Reply, moved: Transferable[] = []) => scope.postMessage(message, moved)
  const calls = make((event) => reply({ event })) as Record<string, (...args: unknown[]) => Promise<unknown>>
  const answer = async ({ id, name, args }: Request) => {
    try {
      const value = await calls[name]!(...args)
      reply({ id, value }, transfer(value))
    } catch (error) {
      reply({ id, error: toWire(error) })
    }
  }
  scope.onmessage = ({ data }: MessageEvent<Request>) => void answer(data)
}
