import { roundToFloat16 } from '../../engine/float16'
import type { WorldShape } from '../assets/manifest'

/** Where the ring's slots are: shared by the ring in memory and the one on the GPU. */
export class RingCursor {
  private newest = 0
  constructor(readonly length: number) {}

  /** Slot of the latent `age` ticks old; 1 is the newest, `length` the oldest. */
  slot(age: number): number {
    return (this.newest + age - 1) % this.length
  }

  /** Gives the oldest slot to a new latent and returns it. */
  advance(): number {
    this.newest = (this.newest + this.length - 1) % this.length
    return this.newest
  }

  /** Slot i holds age i + 1 again. */
  rewind(): void {
    this.newest = 0
  }
}

/**
 * The last `ringLength` latents, [R,T,C], in one buffer, rounded to half precision where that is the state's. Pushing
 * overwrites the oldest; nothing moves or is allocated.
 */
export class LatentRing {
  private readonly cursor: RingCursor
  private readonly data: Float32Array

  constructor(private readonly shape: Pick<WorldShape, 'ringLength' | 'latentLength' | 'half'>) {
    this.cursor = new RingCursor(shape.ringLength)
    this.data = new Float32Array(shape.ringLength * shape.latentLength)
  }

  /** Replaces everything by `latents` [R,T,C], newest first. */
  fill(latents: Float32Array): void {
    this.cursor.rewind()
    this.put(latents, 0)
  }

  /** Adds the newest latent [T,C]. */
  push(latent: Float32Array): void {
    this.put(latent, this.cursor.advance() * this.shape.latentLength)
  }

  /** The latent `age` ticks old, [T,C], as it is kept; into `out` from `at` on, or into an array of its own. */
  read(age: number, out: Float32Array = new Float32Array(this.shape.latentLength), at = 0): Float32Array {
    const { latentLength } = this.shape
    const start = this.cursor.slot(age) * latentLength
    out.set(this.data.subarray(start, start + latentLength), at)
    return out
  }

  /** Copies the latents of the given ages into `out`, one after the other. */
  gather(ages: readonly number[], out: Float32Array): void {
    for (let i = 0; i < ages.length; i++) this.read(ages[i]!, out, i * this.shape.latentLength)
  }

  /** A copy of everything, [R,T,C], newest first. */
  readAll(): Float32Array {
    const out = new Float32Array(this.data.length)
    this.gather(
      Array.from({ length: this.shape.ringLength }, (_, i) => i + 1),
      out,
    )
    return out
  }

  private put(latents: Float32Array, at: number): void {
    if (this.shape.half) roundToFloat16(latents, this.data, at)
    else this.data.set(latents, at)
  }
}
