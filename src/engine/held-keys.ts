import type { Action, ActionSpace, Move } from './controls'
import type { Telemetry } from './world'

/** Whatever decides the next action: a person's keys, a policy, a replayed log. */
export interface InputSource {
  /** The action for the tick that is about to be computed, in a world with these actions. */
  sample(space: ActionSpace): Action
  /** Forget everything held: called on reset, world swap, and by the page on focus loss and reconnect. */
  clear(): void
}

/** Plays a world by what its instruments read, and looks after a person who plays it by hand. */
export interface Autopilot {
  /** The newest instruments, and their tick; null where they are not known. */
  see(telemetry: Telemetry | null, tick: number): void
  /** True for a move that takes the wheel from it. */
  yieldsTo(move: Move): boolean
  /** What it does while a person holds no more than `held`. */
  act(held: Action): Action
  /** What it makes of the action of a person whose hands are on, to keep the drive whole. */
  assist(action: Action): Action
  /** Once the drive has broken: the last tick at which all was well. Null while it has not. */
  readonly wellBefore: number | null
  /** What the instruments read, for a person who does not see the picture; null where they are not known. */
  describe(): string | null
}

/**
 * Held keys to an {@link Action}. Devices name their keys as they like (`ArrowLeft`, `pad0-run-1`), so several keys may hold
 * one move; of the moves of one control the newest wins, and when it is let go the older one counts again.
 *
 * @example
 * const [left, right] = spaceOf(world.info.controls).moves
 * keys.press('ArrowLeft', left)
 * keys.press('KeyD', right)
 * keys.sample(space) // { run: 1, jump: 0 }
 */
export class HeldKeys implements InputSource {
  /** Key to move, oldest press first. */
  private readonly keys = new Map<string, Move>()

  /** A key went down. A repeat of a held key changes nothing. */
  press(key: string, move: Move): void {
    if (this.keys.get(key)?.id === move.id) return
    this.keys.delete(key)
    this.keys.set(key, move)
  }

  /** A key went up. Releasing a key that is not held is harmless. */
  release(key: string): void {
    this.keys.delete(key)
  }

  clear(): void {
    this.keys.clear()
  }

  get holdsAny(): boolean {
    return this.keys.size > 0
  }

  /** Keys of another world count for nothing. */
  sample(space: ActionSpace): Action {
    if (this.keys.size === 0) return space.idle
    const held: Record<string, number> = { ...space.idle }
    for (const move of this.keys.values()) if (space.hasMove(move.id)) held[move.control] = move.value
    return space.action(space.code(held))
  }
}
