import type { WorldShape } from './manifest'

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

/** The last `ringLength` latents, [R,T,C], in one buffer. Pushing overwrites the oldest; nothing moves or is allocated. */
export class LatentRing {
  private readonly cursor: RingCursor
  private readonly data: Float32Array

  constructor(private readonly shape: WorldShape) {
    this.cursor = new RingCursor(shape.ringLength)
    this.data = new Float32Array(shape.ringLength * shape.latentLength)
  }

  /** Replaces everything by `latents` [R,T,C], newest first. */
  fill(latents: Float32Array): void {
    this.cursor.rewind()
    this.data.set(latents)
  }

  /** Adds the newest latent [T,C]. */
  push(latent: Float32Array): void {
    this.data.set(latent, this.cursor.advance() * this.shape.latentLength)
  }

  /** The latent `age` ticks old, [T,C]: a view that the next pushes overwrite. */
  at(age: number): Float32Array {
    const start = this.cursor.slot(age) * this.shape.latentLength
    return this.data.subarray(start, start + this.shape.latentLength)
  }

  /** Copies the latents of the given ages into `out`, one after the other. */
  gather(ages: readonly number[], out: Float32Array): void {
    for (let i = 0; i < ages.length; i++) out.set(this.at(ages[i]!), i * this.shape.latentLength)
  }

  /** A copy of everything, [R,T,C], newest first. */
  read(): Float32Array {
    const out = new Float32Array(this.data.length)
    for (let age = 1; age <= this.shape.ringLength; age++) {
      out.set(this.at(age), (age - 1) * this.shape.latentLength)
    }
    return out
  }
}
