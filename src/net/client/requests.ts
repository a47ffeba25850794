import { BadInputError } from '../../engine/errors'
import type { Snapshot } from '../../engine/world'
import { WireMalformedError } from '../protocol/errors'
import {
  type ClientMessage,
  type FrameMessage,
  REQUEST_BODIES,
  type ServerMessage,
} from '../protocol/messages'
import { revive } from './link'

type Requesting = Extract<ClientMessage, { request: number }>
type WithoutRequest<Message> = Message extends unknown ? Omit<Message, 'request'> : never

/** A request that has no number yet. */
export type Ask = WithoutRequest<Requesting>

type Answer = Extract<ServerMessage, { request: number }>

interface Waiting {
  readonly ask: Ask
  /** Called as the answer comes, before whatever comes behind it. */
  readonly heard?: (answer: ServerMessage) => void
  resolve(answer: ServerMessage): void
  reject(error: Error): void
}

/** Requests that may be on their way; more wait here. As many as a server remembers. */
const MOST_IN_FLIGHT = 8

/**
 * Numbers requests, and keeps them until they are answered. Over another connection to the same session they are sent
 * again under the same numbers, by which the server knows what it has done already.
 */
export class Requests {
  private inFlight = new Map<number, Waiting>()
  private queue: Waiting[] = []
  private last = 0
  private latest: Promise<unknown> = Promise.resolve()

  /** `send` is false where there is no connection. */
  constructor(private readonly send: (message: ClientMessage) => boolean) {}

  /** Resolves with the answer; rejects with the server's error, or that of `fail`. */
  ask(ask: Ask, heard?: Waiting['heard']): Promise<ServerMessage> {
    const answer = new Promise<ServerMessage>((resolve, reject) => {
      this.queue.push({ ask, heard, resolve, reject })
    })
    this.latest = answer.catch(() => {})
    this.pump()
    return answer
  }

  answered(message: Answer): void {
    const waiting = this.inFlight.get(message.request)
    this.inFlight.delete(message.request)
    if (message.type === 'error') waiting?.reject(revive(message.body))
    else {
      waiting?.heard?.(message)
      waiting?.resolve(message)
    }
    this.pump()
  }

  /** Resolves once all that was asked until now is answered. */
  async settled(): Promise<void> {
    await this.latest
  }

  /** Another connection to the same session: what was not answered is asked again. */
  again(): void {
    for (const [request, { ask }] of this.inFlight) this.send(numbered(ask, request))
    this.pump()
  }

  /** A new session, which has seen none of the numbers: first `ask`, then all that was not answered, under new ones. */
  againAfter(ask: Ask): Promise<ServerMessage> {
    const unanswered = [...this.inFlight.values()]
    this.inFlight.clear()
    const answer = new Promise<ServerMessage>((resolve, reject) => {
      this.queue.unshift({ ask, resolve, reject }, ...unanswered)
    })
    this.pump()
    return answer
  }

  fail(error: Error): void {
    const all = [...this.inFlight.values(), ...this.queue]
    this.inFlight.clear()
    this.queue = []
    for (const { reject } of all) reject(error)
  }

  private pump(): void {
    while (this.queue.length > 0 && this.inFlight.size < MOST_IN_FLIGHT) {
      const waiting = this.queue[0]!
      const request = this.last + 1
      try {
        if (!this.send(numbered(waiting.ask, request))) return
        this.last = request
        this.inFlight.set(request, waiting)
      } catch (error) {
        waiting.reject(error as Error)
      }
      this.queue.shift()
    }
  }
}

function numbered(ask: Ask, request: number): Requesting {
  return { ...ask, request } as Requesting
}

/** The server would take what does not fit for a broken client, and close the connection. */
export function checkBody(call: string, ask: Ask): void {
  if (!('body' in ask)) return
  const result = REQUEST_BODIES[ask.type].safeParse(ask.body)
  if (result.success) return
  const { path, message } = result.error.issues[0]!
  throw new BadInputError(`${call}() was called with a wrong ${path.join('.') || 'argument'}: ${message}.`)
}

/** The frame that an answer is. */
export function frameOf(answer: ServerMessage): FrameMessage {
  if (answer.type !== 'frame') throw unfitting('frame', answer)
  return answer
}

/** The state that an answer is. */
export function stateOf(answer: ServerMessage): Snapshot {
  if (answer.type !== 'state') throw unfitting('state', answer)
  return answer.body
}

function unfitting(expected: string, { type }: ServerMessage): WireMalformedError {
  return new WireMalformedError(type, `a ${expected} was expected as the answer`)
}
