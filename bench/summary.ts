/** Nearest-rank percentile of `values`, `p` in 0..1. Throws a `RangeError` where there are none. */
export function percentile(values: readonly number[], p: number): number {
  if (values.length === 0) throw new RangeError('A percentile needs at least one value, but none came.')
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(p * sorted.length) - 1)]!
}

/** Every timing of one run, milliseconds. */
export interface Timings {
  readonly tickMs: readonly number[]
  readonly bareMs: readonly number[]
  readonly stages: Readonly<Record<string, readonly number[]>>
}

export interface Summary {
  readonly n: number
  readonly tickMs: { readonly p50: number; readonly p95: number; readonly p99: number }
  readonly bareMs: { readonly p50: number }
  /** tickMs.p50 over bareMs.p50, less 1. */
  readonly overhead: number
  /** p50 of each stage. */
  readonly stages: Readonly<Record<string, number>>
}

export function summarise({ tickMs, bareMs, stages }: Timings): Summary {
  const round = (ms: number) => Math.round(ms * 1000) / 1000
  const at = (p: number) => round(percentile(tickMs, p))
  const bare = percentile(bareMs, 0.5)
  return {
    n: tickMs.length,
    tickMs: { p50: at(0.5), p95: at(0.95), p99: at(0.99) },
    bareMs: { p50: round(bare) },
    overhead: round(percentile(tickMs, 0.5) / bare - 1),
    stages: Object.fromEntries(
      Object.entries(stages).map(([name, ms]) => [name, round(percentile(ms, 0.5))]),
    ),
  }
}
