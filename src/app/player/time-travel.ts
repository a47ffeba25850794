import type { Loop } from '../../engine/loop'
import type { Past } from '../../engine/timeline'
import { sentenceOf } from '../failures'
import { notify, type Store } from '../store'

/** Going back in one world. Seeks land on snapshots, so that they need no replay; the newest request wins. */
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

/** What going back needs of the drive. */
interface Drive {
  readonly playing: () => boolean
  readonly pause: () => void
  /** The scrubber was let go of: what stood for it alone goes on. */
  readonly goOn: () => void
  /** Nothing holds the drive. */
  readonly free: () => Promise<void>
  /** The drive is at another tick. */
  readonly arrived: () => Promise<void>
}

/** Going back as a person does it, whichever world is driven: by a key, or by the scrubber, while which play waits. */
export class Rewind {
  private travel: TimeTravel | null = null

  constructor(
    private readonly store: Store,
    private readonly drive: Drive,
  ) {}

  /** Another world is driven; null where it has no past. */
  enter(travel: TimeTravel | null): void {
    this.travel = travel
  }

  /** Goes back by about `ticks`, and drives on from there. */
  async rewind(ticks: number): Promise<void> {
    await this.go((travel) => travel.rewind(ticks))
  }

  /** Shows an earlier tick while the scrubber is dragged; the newest request wins. */
  async seek(tick: number): Promise<void> {
    if (this.drive.playing()) this.drive.pause()
    await this.go((travel) => travel.seek(tick))
  }

  seekEnd(): void {
    this.drive.goOn()
  }

  private async go(on: (travel: TimeTravel) => Promise<void>): Promise<void> {
    await this.drive.free()
    if (!this.travel) return
    try {
      await on(this.travel)
      await this.drive.arrived()
    } catch (error) {
      notify(this.store, sentenceOf(error), 'warn')
    }
  }
}
