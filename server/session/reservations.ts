import { randomBytes } from 'node:crypto'
import { hash } from './session-tokens'

/** A seat is kept for so long. */
export const SEAT_MS = 30_000

export interface KeptSeat {
  readonly seat: string
  readonly url?: string
}

/** Seats that are kept for somebody who is about to come. Each has a token that is good once. */
export class Reservations {
  /** When each is given up, by the hash of its token; oldest first. */
  private readonly kept = new Map<string, number>()

  constructor(private readonly random: (bytes: number) => Buffer = randomBytes) {}

  /** Seats that are kept now. */
  get size(): number {
    return this.kept.size
  }

  keep(nowMs: number): string {
    const token = this.random(32).toString('base64url')
    this.kept.set(hash(token), nowMs + SEAT_MS)
    return token
  }

  has(token: string, nowMs: number): boolean {
    return nowMs < (this.kept.get(hash(token)) ?? 0)
  }

  /** The seat's bearer is here: the token is good for nothing any more. */
  take(token: string): void {
    this.kept.delete(hash(token))
  }

  /** Gives up the seats that nobody came for in time. True where there were any. */
  expire(nowMs: number): boolean {
    const before = this.kept.size
    for (const [key, untilMs] of this.kept) if (nowMs >= untilMs) this.kept.delete(key)
    return this.kept.size < before
  }
}
