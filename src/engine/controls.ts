import { ACTIONS, type Action, actionCode } from './action'

/** What a key, a pad axis or a finger can ask for. */
export type Direction = 'left' | 'right' | 'up' | 'down'

/** Whatever decides the next action: a person's keys, a policy, a replayed log. */
export interface InputSource {
  /** The action for the tick that is about to be computed. */
  sample(): Action
  /** Forget everything held: called on reset, world swap, and by the page on focus loss and reconnect. */
  clear(): void
}

/**
 * Held keys to an {@link Action}. Devices name their keys as they like (`ArrowLeft`, `pad0-left`), so several keys may
 * hold one direction; of opposite directions the newest wins, and when it is let go the older one counts again.
 *
 * @example
 * controls.press('ArrowLeft', 'left')
 * controls.press('KeyD', 'right')
 * controls.sample() // { steer: 1, throttle: 0 }
 */
export class Controls implements InputSource {
  /** Key to direction, oldest press first. */
  private readonly keys = new Map<string, Direction>()

  /** A key went down. A repeat of a held key changes nothing. */
  press(key: string, direction: Direction): void {
    if (this.keys.get(key) === direction) return
    this.keys.delete(key)
    this.keys.set(key, direction)
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

  /** True while any key holds the direction, even where its opposite wins. */
  holds(direction: Direction): boolean {
    for (const held of this.keys.values()) if (held === direction) return true
    return false
  }

  sample(): Action {
    let steer: Action['steer'] = 0
    let throttle: Action['throttle'] = 0
    for (const direction of this.keys.values()) {
      if (direction === 'left') steer = -1
      else if (direction === 'right') steer = 1
      else if (direction === 'up') throttle = 1
      else throttle = -1
    }
    return ACTIONS[actionCode({ steer, throttle })]!
  }
}
