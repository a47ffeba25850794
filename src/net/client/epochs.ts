/**
 * Epochs of a drive that may go on in one session after another. Each session counts its own; whoever plays sees one count
 * that only grows.
 */
export class Epochs {
  private current = 0
  private begun = false
  /** Added to the session's, for whoever plays. */
  private base = 0

  /** Of the server's session now; 0 where it has nothing to act on yet. */
  get now(): number {
    return this.current
  }

  /** A reset or restore was answered, by this server or one before it. */
  get begunOnce(): boolean {
    return this.begun
  }

  /** An epoch of the session as whoever plays counts it. */
  played(epoch: number): number {
    return this.base + epoch
  }

  /** An answer begins this epoch. False where a newer one has begun before. */
  begin(epoch: number): boolean {
    if (epoch <= this.current) return false
    this.current = epoch
    this.begun = true
    return true
  }

  /** A frame is seen again: an epoch for whoever plays, of which the server knows nothing. */
  sought(): void {
    this.base++
  }

  /** The drive goes on from its last state in a session that has yet to begin. For whoever plays it is the same epoch. */
  another(): void {
    this.base += this.current - 1
    this.current = 0
  }

  /** Another worker goes on from a snapshot in this epoch. Where that is an older one, for its player it is the same. */
  takenUp(epoch: number): void {
    if (epoch >= this.current) return
    this.base += this.current - epoch
    this.current = epoch
  }
}
