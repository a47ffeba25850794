import { checkFields, shown } from './checks'
import { BadInputError } from './errors'

/** One tick's input: each axis is -1, 0 or 1, so a world has nine actions. */
export interface Action {
  /** -1 left, 0 straight, 1 right. */
  readonly steer: -1 | 0 | 1
  /** -1 brake, 0 coast, 1 throttle. */
  readonly throttle: -1 | 0 | 1
}

export const IDLE: Action = Object.freeze({ steer: 0, throttle: 0 })

/** All nine actions in code order: `ACTIONS[code]`. */
export const ACTIONS: readonly Action[] = Object.freeze(
  ([-1, 0, 1] as const).flatMap((steer) =>
    ([-1, 0, 1] as const).map((throttle) => Object.freeze({ steer, throttle })),
  ),
)

/** The action as an integer 0..8: `(steer + 1) * 3 + (throttle + 1)`. */
export function actionCode(action: Action): number {
  return (action.steer + 1) * 3 + (action.throttle + 1)
}

/** Inverse of {@link actionCode}. Throws a `RangeError` outside 0..8. */
export function actionFromCode(code: number): Action {
  const action = ACTIONS[code]
  if (!action) throw new RangeError(`An action code is an integer from 0 to 8, but ${code} came.`)
  return action
}

/** Throws `BadInputError` unless it is an action: two axes, each -1, 0 or 1, and nothing else. */
export function checkAction(action: Action): void {
  checkFields('An action', action, ['steer', 'throttle'])
  for (const axis of ['steer', 'throttle'] as const) {
    const value: unknown = action[axis]
    if (value !== -1 && value !== 0 && value !== 1) {
      throw new BadInputError(`An action's axes are -1, 0 or 1, but ${axis} ${shown(value)} came.`)
    }
  }
}
