import type { Action } from '../../engine/action'
import type { Rng } from '../../engine/random'
import type { CarState } from './physics'
import { curvature } from './track'

/** Ways to drive that together cover the action space; an episode changes between them. */
export const POLICIES = ['keep', 'weave', 'wander', 'stop', 'hold'] as const
export type PolicyName = (typeof POLICIES)[number]

type Axis = -1 | 0 | 1

/** Steers toward lateral offset `goal` (m) by bang-bang control with a dead band. */
function steerTo(seed: number, car: CarState, goal: number): Axis {
  const ahead = curvature(seed, car.s + 8 + car.v * 0.3)
  const wanted = Math.max(-0.3, Math.min(0.3, (goal - car.d) * 0.06)) + ahead * car.v * 0.55
  const error = wanted - car.psi - car.wheel * 0.1
  return error > 0.05 ? 1 : error < -0.05 ? -1 : 0
}

function throttleTo(car: CarState, speed: number): Axis {
  return car.v < speed - 1 ? 1 : car.v > speed + 4 ? -1 : 0
}

/** A driver that changes its way of driving every few seconds. Deterministic given the generator. */
export class Driver {
  private policy: PolicyName = 'keep'
  private left = 0
  private goal = 0
  private speed = 20
  private held: Action = { steer: 0, throttle: 1 }
  private heldTicks = 0

  constructor(
    private readonly rng: Rng,
    private readonly only?: PolicyName,
  ) {}

  act(seed: number, car: CarState): Action {
    if (this.left-- <= 0) this.change()
    const { rng } = this
    switch (this.policy) {
      case 'keep':
        return { steer: steerTo(seed, car, this.goal), throttle: throttleTo(car, this.speed) }
      case 'weave':
        if (rng.uniform() < 0.05) this.goal = (rng.uniform() * 2 - 1) * 5
        return { steer: steerTo(seed, car, this.goal), throttle: throttleTo(car, this.speed) }
      case 'wander':
        return { steer: steerTo(seed, car, this.goal), throttle: throttleTo(car, this.speed * 0.7) }
      case 'stop':
        return { steer: steerTo(seed, car, this.goal), throttle: this.left > 25 ? -1 : 1 }
      case 'hold':
        if (this.heldTicks-- <= 0) {
          this.held = { steer: rng.pick([-1, 0, 1] as const), throttle: rng.pick([-1, 0, 1, 1] as const) }
          this.heldTicks = 3 + rng.int(0, 14)
        }
        return this.held
    }
  }

  private change(): void {
    const { rng } = this
    const u = rng.uniform()
    this.policy =
      this.only ?? (u < 0.3 ? 'keep' : u < 0.5 ? 'weave' : u < 0.63 ? 'wander' : u < 0.7 ? 'stop' : 'hold')
    this.left = 30 + rng.int(0, 60)
    this.speed = 12 + rng.uniform() * 18
    const side = rng.uniform() < 0.5 ? -1 : 1
    this.goal = this.policy === 'wander' ? side * (6 + rng.uniform() * 4) : (rng.uniform() * 2 - 1) * 3
  }
}
