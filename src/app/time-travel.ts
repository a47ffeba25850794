import type { Loop } from '../engine/loop'
import type { Past } from '../engine/timeline'

/** Going back in a drive. Seeks land on snapshots, so that they need no replay; the newest wish wins. */
export class TimeTravel {
  private wanted: number | null = null

  constructor(
    private readonly loop: Loop,
    private readonly past: Past,
    /** Ticks between snapshots. */
    private readonly every: number,
  ) {}

  /** Goes back by `ticks` or a little more. Does nothing while still on the way, so that a held key is no avalanche. */
  async rewind(ticks: number): Promise<void> {
    if (this.wanted !== null) return
    await this.to(Math.floor((this.past.position - ticks) / this.every) * this.every)
  }

  /** Goes to the snapshot nearest to a tick. */
  async seek(tick: number): Promise<void> {
    await this.to(Math.round(tick / this.every) * this.every)
  }

  private async to(tick: number): Promise<void> {
    const idle = this.wanted === null
    this.wanted = tick
    if (!idle) return
    try {
      for (;;) {
        const wanted: number = this.wanted
        const { range } = this.past
        if (!range) return
        await this.loop.jump(() => this.past.seek(Math.min(range.to, Math.max(range.from, wanted))))
        if (this.wanted === wanted) return
      }
    } finally {
      this.wanted = null
    }
  }
}
