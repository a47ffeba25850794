import type { Driver } from '../input/driver'
import { notify, type Store } from '../store'
import type { Rewind } from './time-travel'

/** Ticks that a person who wakes goes back by, at least: two seconds. */
const BACK = 40
/** Where the drive breaks again so soon, it goes on from farther back. */
const SOON = 60

const WOKE = 'The dream broke, and you woke for a moment. It goes on from two seconds before.'
const WOKE_FARTHER = 'The dream broke again. It goes on from farther back.'

/** Where the dream breaks, one wakes for a moment, and it goes on from a snapshot of when all was well. */
export class Waking {
  private inFlight = false
  private landedAt = Number.NEGATIVE_INFINITY
  private times = 0
  private wokeAt = Number.NEGATIVE_INFINITY

  constructor(
    private readonly store: Store,
    private readonly driver: Pick<Driver, 'wellBefore' | 'rest'>,
    private readonly rewind: Pick<Rewind, 'rewind'>,
  ) {}

  /** A future that ends where one woke is not worth coming back to. */
  broke({ to }: { readonly to: number }): boolean {
    return Math.abs(to - this.wokeAt) <= 2
  }

  /** The drive has come to a tick, in play. */
  async hear(tick: number): Promise<void> {
    // Another drive began, or somebody went back farther.
    if (tick < this.landedAt) this.landedAt = Number.NEGATIVE_INFINITY
    const { wellBefore } = this.driver
    const { past } = this.store.getState()
    if (wellBefore === null || this.inFlight || !past || past.from >= tick) return
    this.inFlight = true
    this.wokeAt = tick
    this.times = tick - this.landedAt < SOON + BACK ? this.times + 1 : 1
    const target = Math.max(past.from, Math.min(tick - BACK * this.times, wellBefore))
    this.landedAt = target
    this.store.setState(({ wakes }) => ({ wakes: wakes + 1 }))
    notify(this.store, this.times > 1 ? WOKE_FARTHER : WOKE)
    try {
      await this.rewind.rewind(tick - target)
      this.driver.rest()
    } finally {
      this.inFlight = false
    }
  }
}
