import type { Action } from '../../engine/action'
import { type Setting, settingFromText } from './captions'
import { type Look, lookFromArray, lookOf, lookToArray, mixLooks } from './look'
import { smoothstep } from './math'
import {
  CAR_FIELDS,
  type CarState,
  carFromArray,
  carToArray,
  type StepOutcome,
  startCar,
  stateHash,
  stepCar,
} from './physics'

/** Ticks that the world takes to become what new words say. */
export const MORPH_TICKS = 20

/** The state of the drive world without anything that draws: seed, car, setting, and the morph under way. */
export class Simulation {
  tick = 0
  car: CarState
  braking = false
  private from: Look
  private morphTick = MORPH_TICKS

  constructor(
    readonly seed: number,
    public setting: Setting,
  ) {
    this.car = startCar(seed)
    this.from = lookOf(setting)
  }

  step(action: Action): StepOutcome {
    const outcome = stepCar(this.seed, this.car, action)
    this.braking = action.throttle < 0
    this.morphTick = Math.min(MORPH_TICKS, this.morphTick + 1)
    this.tick++
    return outcome
  }

  /** Heads for a new setting from wherever the look is now. */
  become(setting: Setting): void {
    this.from = this.look()
    this.setting = setting
    this.morphTick = 0
  }

  /** What free words mean here; words that say nothing of biome, time or weather leave it as it is. */
  becomeText(text: string): void {
    this.become(settingFromText(text, this.setting))
  }

  /** How the world looks now. */
  look(): Look {
    if (this.morphTick >= MORPH_TICKS) return lookOf(this.setting)
    return mixLooks(this.from, lookOf(this.setting), smoothstep(0, MORPH_TICKS, this.morphTick))
  }

  toArray(): Float64Array {
    const car = carToArray(this.car)
    return Float64Array.from([
      this.tick,
      this.braking ? 1 : 0,
      this.morphTick,
      ...car,
      ...lookToArray(this.from),
    ])
  }

  static fromArray(seed: number, setting: Setting, values: Float64Array): Simulation {
    const simulation = new Simulation(seed, setting)
    simulation.tick = values[0]!
    simulation.braking = values[1] === 1
    simulation.morphTick = values[2]!
    simulation.car = carFromArray(values.subarray(3, 3 + CAR_FIELDS))
    simulation.from = lookFromArray(values.subarray(3 + CAR_FIELDS))
    return simulation
  }

  /** Hash of the moving state (car and tick): the same everywhere for the same seed and actions. */
  hash(): string {
    return stateHash(Float64Array.from([this.tick, ...carToArray(this.car)]))
  }
}
