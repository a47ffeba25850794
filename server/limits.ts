import type { ClientMessage } from '../src/net/protocol/messages'

interface Limit {
  /** Messages a second in the long run. */
  readonly rate: number
  /** Messages at once. */
  readonly burst: number
}

const OFTEN: Limit = { rate: 200, burst: 400 }
/** A world's rate: a rewind key that is held in play restores once a tick. */
const SELDOM: Limit = { rate: 20, burst: 60 }

/** No world ticks as fast; but a flood of steps, each refused as one too many, would keep the server busy. */
const STEPS: Limit = { rate: 2000, burst: 4000 }

/** Of a websocket's own pings and pongs. */
type Kind = ClientMessage['type'] | 'control'

/** How often a client may say what. */
const LIMITS: Record<Kind, Limit> = {
  step: STEPS,
  hello: SELDOM,
  reset: SELDOM,
  prompt: SELDOM,
  snapshot: SELDOM,
  restore: SELDOM,
  mode: SELDOM,
  bye: SELDOM,
  action: OFTEN,
  ack: OFTEN,
  heartbeat: OFTEN,
  control: SELDOM,
}

/** One client's token buckets, one for each kind of message. */
export class Limits {
  private readonly buckets = new Map<string, { left: number; atMs: number }>()

  /** True where the message is within its limit. */
  take(type: Kind, nowMs: number): boolean {
    const { rate, burst } = LIMITS[type]
    const bucket = this.buckets.get(type) ?? { left: burst, atMs: nowMs }
    const left = Math.min(burst, bucket.left + ((nowMs - bucket.atMs) / 1000) * rate)
    this.buckets.set(type, { left: Math.max(0, left - 1), atMs: nowMs })
    return left >= 1
  }
}
