/** The newest `capacity` numbers, with percentiles over them. Allocates nothing after construction except in `percentile`. */
export class Samples {
  private readonly ring: Float64Array
  private next = 0
  private count = 0

  constructor(readonly capacity: number) {
    this.ring = new Float64Array(capacity)
  }

  get size(): number {
    return this.count
  }

  add(value: number): void {
    this.ring[this.next] = value
    this.next = (this.next + 1) % this.capacity
    this.count = Math.min(this.count + 1, this.capacity)
  }

  clear(): void {
    this.next = 0
    this.count = 0
  }

  /** The i-th newest value (0 = newest), or NaN past the oldest. */
  back(i: number): number {
    if (i >= this.count) return Number.NaN
    return this.ring[(this.next - 1 - i + this.capacity * 2) % this.capacity]!
  }

  /** Nearest-rank percentile, `p` in 0..1; null while empty. */
  percentile(p: number): number | null {
    if (this.count === 0) return null
    const sorted = this.ring.slice(0, this.count).sort()
    return sorted[Math.min(this.count - 1, Math.max(0, Math.ceil(p * this.count) - 1))]!
  }
}

/**
 * Input to photon: from the time stamp of the device event that changed what is held, to the browser having been given
 * the first frame computed with it. The display's own scan-out comes on top.
 */
export class PhotonMeter {
  readonly samples = new Samples(128)
  private pendingAtMs: number | null = null
  private carriedAtMs: number | null = null

  /** The held keys changed at `atMs`. The oldest change not yet seen counts. */
  input(atMs: number): void {
    this.pendingAtMs ??= atMs
  }

  /** A tick sampled its input at `sampledAtMs`: what changed before it travels with that frame. */
  sampled(sampledAtMs: number): void {
    if (this.pendingAtMs === null || this.pendingAtMs > sampledAtMs) return
    this.carriedAtMs ??= this.pendingAtMs
    this.pendingAtMs = null
  }

  /** The newest frame was given to the browser. */
  presented(atMs: number): void {
    if (this.carriedAtMs === null) return
    this.samples.add(atMs - this.carriedAtMs)
    this.carriedAtMs = null
  }

  /** Forget what is under way, as on a reset or a pause. */
  drop(): void {
    this.pendingAtMs = null
    this.carriedAtMs = null
  }
}

/** Smoothed milliseconds by stage, and the whole tick's history for the graph. */
export class StageMeter {
  readonly ticks = new Samples(160)
  readonly stages = new Map<string, number>()

  add(totalMs: number, timings: Readonly<Record<string, number>>): void {
    this.ticks.add(totalMs)
    for (const [stage, ms] of Object.entries(timings)) {
      const before = this.stages.get(stage)
      this.stages.set(stage, before === undefined ? ms : before + (ms - before) / 8)
    }
  }

  clear(): void {
    this.ticks.clear()
    this.stages.clear()
  }
}
