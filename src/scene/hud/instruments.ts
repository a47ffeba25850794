import type { Action, Control } from '../../engine/controls'

/** A run of numbers, newest first. */
export interface Series {
  readonly capacity: number
  readonly size: number
  /** The i-th newest, NaN past the oldest. */
  back(i: number): number
  /** `p` in 0..1; null while empty. */
  percentile(p: number): number | null
}

/** What the instruments show, read anew at every draw. Times in milliseconds. */
export interface Instruments {
  readonly controls: readonly Control[]
  /** The action taken, and what a person holds of it. */
  readonly action: Action
  readonly held: Action
  readonly tick: number
  readonly ticksPerSecond: number
  readonly nominalRate: number
  readonly lateTicks: number
  /** World seconds per real second. */
  readonly speed: number
  readonly backend: string
  /** Whole ticks: from sampling the input to the world's answer. */
  readonly cost: Series
  readonly stages: ReadonlyMap<string, number>
  /** From a key's event to the frame computed with it. */
  readonly photon: Series
}
