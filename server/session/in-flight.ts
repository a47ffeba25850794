/** What a session's tick is for. */
import type { Action } from '../../src/engine/controls'
import type { Ticked } from './scheduler'
import type { Spectator } from './spectator'

export interface Held {
  readonly action: Action
  readonly sequence: number
  readonly sentAtMs: number
}

export interface Step {
  readonly action: Action
  readonly sentAtMs: number
  readonly done: (ticked: Ticked) => void
  readonly failed: (error: unknown) => void
}

/** The tick in the engine: what it is for, and who will be sent its picture. */
export interface InFlight {
  readonly cause: Step | Held
  /** False where the player has no room for it. */
  readonly own: boolean
  readonly audience: readonly Spectator[]
}
