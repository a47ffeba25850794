import { type Setting, settingFromText } from './captions'
import type { DriveAction } from './controls'
import { type Look, lookFromArray, lookOf, lookToArray, mixLooks } from './look'
import { CAR_FIELDS, type CarState, carFromArray, carToArray, startCar, stateHash, stepCar } from './physics'
import { type Reading, readingOf, telemetryOf } from './telemetry'

/**
 * The part of the way to what the words say that the world goes in a tick: 97 % of it in a second. It depends on nothing
 * but how the world looks now, so that a dreamer, who sees only that, can know the next frame.
 */
export const MORPH_RATE = 0.16
/** Ticks after which the rest of the way (half a percent) is gone in one. */
export const MORPH_TICKS = 30

/** The state of the drive world without anything that draws: seed, car, setting, and the morph under way. */
export class Simulation {
  tick = 0
  car: CarState
  braking = false
  private now: Look
  private morphTick = MORPH_TICKS

  constructor(
    readonly seed: number,
    public setting: Setting,
  ) {
    this.car = startCar(seed)
    this.now = lookOf(setting)
  }

  step(action: DriveAction): void {
    stepCar(this.seed, this.car, action)
    this.braking = action.throttle < 0
    if (this.morphTick < MORPH_TICKS) this.morph()
    this.tick++
  }

  /** What the instruments read now. */
  reading(): Reading {
    return readingOf(telemetryOf(this.seed, this.tick, this.car))
  }

  /** Heads for a new setting from wherever the look is now. */
  become(setting: Setting): void {
    this.setting = setting
    this.morphTick = 0
  }

  private morph(): void {
    const goal = lookOf(this.setting)
    this.now = ++this.morphTick < MORPH_TICKS ? mixLooks(this.now, goal, MORPH_RATE) : goal
  }

  /** What free words mean here; words that say nothing of biome, time or weather leave it as it is. */
  becomeText(text: string): void {
    this.become(settingFromText(text, this.setting))
  }

  /** How the world looks now. */
  look(): Look {
    return this.now
  }

  toArray(): Float64Array {
    const car = carToArray(this.car)
    return Float64Array.from([
      this.tick,
      this.braking ? 1 : 0,
      this.morphTick,
      ...car,
      ...lookToArray(this.now),
    ])
  }

  static fromArray(seed: number, setting: Setting, values: Float64Array): Simulation {
    const simulation = new Simulation(seed, setting)
    simulation.tick = values[0]!
    simulation.braking = values[1] === 1
    simulation.morphTick = values[2]!
    simulation.car = carFromArray(values.subarray(3, 3 + CAR_FIELDS))
    simulation.now = lookFromArray(values.subarray(3 + CAR_FIELDS))
    return simulation
  }

  /** Hash of the moving state (car and tick): the same everywhere for the same seed and actions. */
  hash(): string {
    return stateHash(Float64Array.from([this.tick, ...carToArray(this.car)]))
  }
}
