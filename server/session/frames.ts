import { encodeServer } from '../../src/net/protocol/wire'
import type { Picture } from '../engine/engine'
import type { Meters } from '../monitoring/meters'
import type { Ticked } from './scheduler'

/** Frames that may be on their way to one client. */
export const MOST_UNACKNOWLEDGED = 3

/** How a picture came to be. */
export type Making = Omit<Ticked, 'pictures'>

/** Of a picture that no tick made. */
export const AT_ONCE: Making = { queueMs: 0, studentMs: 0, batch: 1 }

/** The frames on their way to one client: numbered, and counted where they are not sent. */
export class Frames {
  private sequence = 0
  private acknowledged = 0
  private skipped = 0

  constructor(private readonly meters: Meters) {}

  /** As many are on their way as may be. */
  get full(): boolean {
    return this.sequence - this.acknowledged >= MOST_UNACKNOWLEDGED
  }

  /** Whether the next may be sent; counted where it may not. */
  hasRoom(): boolean {
    if (!this.full) return true
    this.skipped++
    this.meters.skipped.inc()
    return false
  }

  acknowledge(sequence: number): void {
    if (sequence > this.acknowledged) this.acknowledged = Math.min(sequence, this.sequence)
  }

  /** Another connection: what was on its way to the one before will not be acknowledged. */
  forget(): void {
    this.acknowledged = this.sequence
  }

  /** The bytes of the next frame. */
  encode(request: number, picture: Picture, echoMs: number, making: Making): Uint8Array {
    const { tick, epoch, format, payload, encodeMs, reward, done } = picture
    const { queueMs, studentMs, batch } = making
    this.meters.frames.inc({ format })
    this.meters.frameBytes.inc({ format }, payload.length)
    return encodeServer({
      type: 'frame',
      ...{ request, epoch, tick, echoMs, batch, format, payload, reward, done },
      sequence: ++this.sequence,
      skipped: this.skipped,
      timings: { queue: queueMs, student: studentMs, encode: encodeMs },
    })
  }
}
