import type { Rng } from '../../engine/random'
import type { DriveAction } from './controls'
import { keepToRoad } from './lane-keeper'
import type { Reading } from './telemetry'

/**
 * Ways to drive that together are what players do. `keep`: the lane keeper. `careful`: a person, a quarter of a second late,
 * with mistakes. `mash`: left, right and nothing held by chance. `alternate`: from side to side. `edge`: along the bank.
 * `stop`: brakes to a stand, waits and sets off again. An episode changes between them.
 */
export const POLICIES = ['keep', 'careful', 'mash', 'alternate', 'edge', 'stop'] as const
export type PolicyName = (typeof POLICIES)[number]

const SHARES: Record<PolicyName, number> = {
  keep: 0.14,
  careful: 0.2,
  mash: 0.36,
  alternate: 0.12,
  edge: 0.1,
  stop: 0.08,
}
/** How late a careful driver acts on what the instruments read, in ticks. */
const LATE = 5

type Axis = -1 | 0 | 1

/** A driver that sees nothing but the instruments and changes its way every few seconds. Deterministic given the generator. */
export class Driver {
  private policy: PolicyName = 'keep'
  private left = 0
  private goal = 0
  private speed = 20
  private held: DriveAction = { steer: 0, throttle: 1 }
  private heldTicks = 0
  private readonly seen: Reading[] = []

  constructor(
    private readonly rng: Rng,
    private readonly only?: PolicyName,
  ) {}

  act(reading: Reading): DriveAction {
    this.seen.unshift(reading)
    this.seen.length = Math.min(this.seen.length, LATE + 1)
    if (this.left-- <= 0) this.change()
    switch (this.policy) {
      case 'keep':
        return keepToRoad(reading, this.goal, this.speed)
      case 'careful':
        return this.careful()
      case 'mash':
        return this.hold(5, 25, () => ({ steer: this.axis(), throttle: this.foot() }))
      case 'alternate': {
        const next: Axis = this.held.steer > 0 ? -1 : 1
        return this.hold(6, 18, () => ({ steer: next, throttle: this.foot() }))
      }
      case 'edge': {
        const { throttle } = keepToRoad(reading, 0, this.speed)
        return this.hold(15, 50, () => ({ steer: this.goal > 0 ? 1 : -1, throttle }))
      }
      case 'stop': {
        const { steer } = keepToRoad(reading, this.goal, this.speed)
        return { steer, throttle: this.left > 25 ? -1 : 1 }
      }
    }
  }

  /** Late, in steps of a fifth of a second, and now and then the wrong key or none. */
  private careful(): DriveAction {
    return this.hold(3, 5, () => {
      const action = keepToRoad(this.seen.at(-1), this.goal, this.speed)
      const mistake = this.rng.uniform()
      if (mistake < 0.06) return { steer: this.axis(), throttle: action.throttle }
      return mistake < 0.1 ? { steer: 0, throttle: 0 } : action
    })
  }

  private hold(low: number, high: number, next: () => DriveAction): DriveAction {
    if (this.heldTicks-- <= 0) {
      this.held = next()
      this.heldTicks = low - 1 + this.rng.int(0, high - low + 1)
    }
    return this.held
  }

  private axis(): Axis {
    return this.rng.pick([-1, 0, 1] as const)
  }

  private foot(): Axis {
    return this.rng.pick([1, 1, 1, 1, 1, 1, 0, -1] as const)
  }

  private change(): void {
    const { rng } = this
    const u = rng.uniform()
    let sum = 0
    const drawn = POLICIES.find((name) => {
      sum += SHARES[name]
      return u < sum
    })
    this.policy = this.only ?? drawn ?? 'mash'
    this.left = 40 + rng.int(0, 80)
    // A dream that never saw a car wait for seconds sharpens its edges for as long as it stands.
    if (this.policy === 'stop') this.left += rng.int(0, 160)
    this.heldTicks = 0
    this.speed = 12 + rng.uniform() * 18
    this.goal = (rng.uniform() * 2 - 1) * 2.5
  }
}

/** Ticks that a script holds one action for. */
const HOLD = { from: 8, to: 24 }

/** A drive without eyes: goes on, bends now and then, brakes seldom. */
export function scripted(rng: Rng, ticks: number): DriveAction[] {
  const actions: DriveAction[] = []
  while (actions.length < ticks) {
    const steer = rng.pick([-1, 0, 0, 1] as const)
    const throttle = rng.chance(0.85) ? 1 : rng.pick([-1, 0] as const)
    for (let left = rng.int(HOLD.from, HOLD.to + 1); left > 0 && actions.length < ticks; left--) {
      actions.push({ steer, throttle })
    }
  }
  return actions
}
