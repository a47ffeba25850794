/** A run that takes less of the period than this leaves nothing to gain. */
const EASY = 0.5
/** Smaller runs must be this much cheaper for each session. */
const WORTH = 0.95
const SMOOTHING = 1 / 4
/** The first runs of a size still pay for its memory. */
const FIRST_RUNS = 3
/** Runs after which a size that was not taken meanwhile is measured again. */
const STALE_RUNS = 500
/** How many halvings of the line are weighed against taking it whole. */
const HALVINGS = 2

interface Cost {
  /** Smoothed milliseconds for each session of a run. */
  ms: number
  runs: number
  /** Number of the run that was measured last. */
  atRun: number
}

/**
 * How many of the sessions in line one run takes, from what runs have cost: the whole line, half or a quarter of it,
 * whichever costs least for each session. Costs are kept by powers of two, so that few sizes must be tried.
 */
export class BatchSize {
  private readonly costs: Cost[] = []
  private runs = 0

  constructor(
    private readonly most: number,
    private readonly periodMs: number,
  ) {}

  /** For the next run, where `waiting` sessions, one or more, are in line. */
  choose(waiting: number): number {
    const whole = Math.min(waiting, this.most)
    const top = power(whole)
    const cost = this.costs[top]
    if (!cost || this.isUnsure(cost) || cost.ms * whole < EASY * this.periodMs) return whole
    let best = whole
    let bestMs = cost.ms * WORTH
    for (let i = Math.max(0, top - HALVINGS); i < top; i++) {
      const smaller = this.costs[i]
      if (!smaller || this.isUnsure(smaller)) return 2 ** i
      if (smaller.ms < bestMs) {
        best = 2 ** i
        bestMs = smaller.ms
      }
    }
    return best
  }

  /** A run of `size` sessions took so long. */
  observe(size: number, tookMs: number): void {
    const at = power(size)
    const ms = tookMs / size
    this.costs[at] ??= { ms, runs: 0, atRun: 0 }
    const cost = this.costs[at]
    if (this.isStale(cost)) cost.runs = 0
    cost.ms += (ms - cost.ms) * (cost.runs < FIRST_RUNS ? 1 : SMOOTHING)
    cost.runs++
    cost.atRun = ++this.runs
  }

  private isUnsure(cost: Cost): boolean {
    return cost.runs < FIRST_RUNS || this.isStale(cost)
  }

  private isStale({ atRun }: Cost): boolean {
    return this.runs - atRun > STALE_RUNS
  }
}

function power(size: number): number {
  return 31 - Math.clz32(size)
}
