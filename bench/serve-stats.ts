import { percentile } from './summary'

/** One frame, as a client saw it. */
export interface Arrival {
  /** Monotonic milliseconds of the client. */
  readonly atMs: number
  readonly tick: number
  /** The whole message. */
  readonly bytes: number
  /** From when the newest input in it was sent to when it arrived; null where no input was in it yet. */
  readonly ageMs: number | null
  /** Frames of this session that were not sent so far. */
  readonly skipped: number
}

/** What one client saw in the time that was measured. */
export type Seen = readonly Arrival[]

export interface ServeSummary {
  readonly sessions: number
  readonly frames: number
  /** World ticks per second of the slowest session. */
  readonly ticksPerSecond: number
  /** How far frames came from where an even grid would have put them. */
  readonly deviationMs: { readonly p50: number; readonly p95: number; readonly p99: number }
  readonly ageMs: { readonly p50: number; readonly p99: number } | null
  readonly frameBytes: { readonly mean: number; readonly most: number }
  /** Of those that were due. */
  readonly skipped: number
}

const round = (value: number) => Math.round(value * 100) / 100

/**
 * Each frame's distance, in milliseconds, from a grid of `periodMs` that is laid through the median of its client's
 * frames. A session that ticks too slowly leaves the grid, so the rate counts as much as the evenness.
 */
export function deviations(seen: Seen, periodMs: number): number[] {
  const offsets = seen.map(({ atMs, tick }) => atMs - tick * periodMs)
  const middle = percentile(offsets, 0.5)
  return offsets.map((offset) => Math.abs(offset - middle))
}

/** World ticks per second between the first and the last frame. */
export function rateOf(seen: Seen): number {
  const [first, last] = [seen[0], seen.at(-1)]
  if (!first || !last || last.atMs <= first.atMs) return 0
  return ((last.tick - first.tick) * 1000) / (last.atMs - first.atMs)
}

export function summariseServe(clients: readonly Seen[], periodMs: number): ServeSummary {
  const heard = clients.filter((seen) => seen.length > 1)
  const all = heard.flat()
  if (all.length === 0) {
    throw new RangeError(
      'Frames were expected in the time that was measured, but none came. Measure for longer.',
    )
  }
  const off = heard.flatMap((seen) => deviations(seen, periodMs))
  const ages = all.flatMap(({ ageMs }) => (ageMs === null ? [] : [ageMs]))
  const bytes = all.map((arrival) => arrival.bytes)
  const skipped = heard.reduce((sum, seen) => sum + seen.at(-1)!.skipped - seen[0]!.skipped, 0)
  return {
    sessions: clients.length,
    frames: all.length,
    // A client that heard nothing has a session that stands still.
    ticksPerSecond: heard.length < clients.length ? 0 : round(Math.min(...heard.map(rateOf))),
    deviationMs: {
      p50: round(percentile(off, 0.5)),
      p95: round(percentile(off, 0.95)),
      p99: round(percentile(off, 0.99)),
    },
    ageMs:
      ages.length === 0 ? null : { p50: round(percentile(ages, 0.5)), p99: round(percentile(ages, 0.99)) },
    frameBytes: {
      mean: Math.round(bytes.reduce((a, b) => a + b) / bytes.length),
      most: bytes.reduce((a, b) => Math.max(a, b)),
    },
    skipped: round(skipped / (skipped + all.length)),
  }
}

/** The sums of a server's histograms, from the text that Prometheus reads. */
export interface Runs {
  readonly runs: number
  readonly ticks: number
  readonly ms: number
}

export function runsFrom(metrics: string): Runs {
  const value = (name: string) => {
    const found = metrics.match(new RegExp(`^oneiro_${name} ([\\d.e+]+)$`, 'm'))
    if (!found) throw new RangeError(`The metric oneiro_${name} was expected, but the server tells none.`)
    return Number(found[1])
  }
  return { runs: value('batch_ms_count'), ticks: value('batch_size_sum'), ms: value('batch_ms_sum') }
}

export interface Cost {
  /** Sessions in a run, on average. */
  readonly batch: number
  /** Of a run, and of it for each session. */
  readonly runMs: number
  readonly msPerTick: number
  /** Processor time of the whole server for each session's tick; null where the system does not tell. */
  readonly cpuMsPerTick: number | null
}

export function costBetween(before: Runs, after: Runs, cpuMs: number | null): Cost {
  const runs = Math.max(1, after.runs - before.runs)
  const ticks = Math.max(1, after.ticks - before.ticks)
  const ms = after.ms - before.ms
  return {
    batch: round(ticks / runs),
    runMs: round(ms / runs),
    msPerTick: round(ms / ticks),
    cpuMsPerTick: cpuMs === null ? null : round(cpuMs / ticks),
  }
}

/** Cells under their headings, each column as wide as its widest cell; the first to the left, numbers to the right. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)))
  return rows
    .map((row) =>
      row
        .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
