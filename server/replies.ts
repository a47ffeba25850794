/**
 * What became of a client's newest requests. A client that lost its connection sends again what was not answered; it is
 * answered from here, so that every request is carried out once.
 */
export class Replies {
  private readonly kept = new Map<number, Uint8Array>()
  private newest = 0

  /** `most`: how many answers are kept; a client may have no more requests under way. */
  constructor(readonly most: number) {}

  /** True the first time that this number is seen. */
  isNew(request: number): boolean {
    if (request <= this.newest) return false
    this.newest = request
    return true
  }

  keep(request: number, answer: Uint8Array): void {
    this.kept.set(request, answer)
    for (const old of this.kept.keys()) {
      if (this.kept.size <= this.most) break
      this.kept.delete(old)
    }
  }

  /** The answer to a request seen before; undefined while it is still being carried out. */
  of(request: number): Uint8Array | undefined {
    return this.kept.get(request)
  }
}
