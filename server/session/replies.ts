import { LAYOUT } from '../../src/net/protocol/wire'

/**
 * What became of a client's newest requests. A client that lost its connection sends again what was not answered; it is
 * answered from here, so that every request is carried out once.
 */
export class Replies {
  private readonly kept = new Map<number, Uint8Array>()
  private newest = 0
  private carriedOut = 0
  /** Carried out elsewhere, but only looked: may be carried out again. */
  private readonly reads = new Set<number>()

  /** `most`: how many answers are kept; a client may have no more requests under way. */
  constructor(readonly most: number) {}

  /** True the first time that this number is seen. */
  isNew(request: number): boolean {
    if (this.reads.delete(request)) return true
    if (request <= this.newest) return false
    this.newest = request
    return true
  }

  /** `inOrder`: it was carried out, and all before it. */
  keep(request: number, answer: Uint8Array, inOrder = true): void {
    this.kept.set(request, answer)
    if (inOrder) this.carriedOut = Math.max(this.carriedOut, request)
    for (const old of this.kept.keys()) {
      if (this.kept.size <= this.most) break
      this.kept.delete(old)
    }
  }

  /** What another worker needs to know of them. Answers as large as a snapshot are left out: asking again is harmless. */
  get saved() {
    const answers = [...this.kept].filter(
      ([request, answer]) => request <= this.carriedOut && answer[0] !== LAYOUT.state.number,
    )
    return { request: this.carriedOut, answers }
  }

  /** Goes on from what `saved` was elsewhere. */
  failover(request: number, answers: Iterable<readonly [number, Uint8Array]>): void {
    this.newest = request
    this.carriedOut = request
    for (const [number, answer] of answers) this.kept.set(number, answer)
    for (let number = Math.max(1, request - this.most + 1); number <= request; number++) {
      if (!this.kept.has(number)) this.reads.add(number)
    }
  }

  /** The answer to a request seen before; undefined while it is still being carried out. */
  of(request: number): Uint8Array | undefined {
    return this.kept.get(request)
  }
}
