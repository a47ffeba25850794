/** A small game as a world: the game says its rules and its picture, and this does the rest of what a `World` promises. */
import { checkedSnapshot, checkReset, NO_PROMPT } from './checks'
import { type Action, type Control, spaceOf } from './controls'
import { BadInputError, NotReadyError, WorldClosedError } from './errors'
import { FIRST_FREE_STREAM, Rng } from './random'
import {
  FORMAT_VERSION,
  type Pixels,
  type PromptReceipt,
  type ResetOptions,
  type Snapshot,
  type Telemetry,
  type Tick,
  type World,
  type WorldInfo,
} from './world'

/**
 * The rules of a game, as pure functions of a state of plain numbers. Chance comes from `rng` alone, so the same seed and
 * actions give the same frames.
 *
 * @example
 * export const openWorld = () => worldOf(game)
 */
export interface Game {
  /** Of its recordings and of the dream that is made of them. */
  readonly id: string
  readonly title: string
  /** Changes whenever the same seed and actions would no longer give the same frames. */
  readonly version: string
  /** Pixels. */
  readonly width: number
  readonly height: number
  readonly ticksPerSecond: number
  readonly controls: readonly Control[]
  /** Names of what `read` tells; left out where nothing is told. */
  readonly telemetry?: readonly string[]
  begin(rng: Rng): number[]
  /** The next state, what the tick was worth, and whether it ended a game; the next one begins by itself. */
  step(
    state: readonly number[],
    action: Action,
    rng: Rng,
  ): { state: number[]; reward?: number; done?: boolean }
  /** Fills `rgba`, row by row from the top left, 4 bytes a pixel; alpha is 255 already. */
  draw(state: readonly number[], rgba: Uint8ClampedArray): void
  read?(state: readonly number[]): Telemetry
}

/**
 * A world of these rules. `state` is the game's own, for policies and tests.
 *
 * @example
 * const world = worldOf({ id: 'ball', title: 'Ball', version: 'ball-1', width: 64, height: 64, ticksPerSecond: 20, ...rules })
 * await world.reset({ seed: 7 })
 * const { frame, reward } = await world.step({ tap: 1 })
 */
export function worldOf(game: Game): World & { readonly state: readonly number[] } {
  return new GameWorld(game)
}

class GameWorld implements World {
  readonly info: WorldInfo
  state: readonly number[] = []
  private seed = 0
  private tick = -1
  private epoch = 0
  private closed = false

  constructor(private readonly game: Game) {
    const { id, version: modelHash, width, height, ticksPerSecond, controls, telemetry = [] } = game
    this.info = {
      ...{ id, kind: 'simulator', backend: 'game', modelHash, width, height, ticksPerSecond, controls },
      ...{
        prompt: false,
        telemetry: telemetry.map((name) => ({ name, unit: '' })),
        reward: true,
        done: true,
      },
    }
  }

  async reset(options: ResetOptions): Promise<Tick> {
    this.check('reset')
    checkReset(options, this.info)
    if (options.start !== undefined)
      throw new BadInputError(`${this.game.title} has no starts, but "${options.start}" was asked for.`)
    this.seed = options.seed
    this.tick = 0
    this.epoch++
    this.state = this.game.begin(this.rng())
    return this.result(0, false)
  }

  async step(action: Action): Promise<Tick> {
    this.running('step')
    spaceOf(this.info.controls).check(action)
    this.tick++
    const { state, reward = 0, done = false } = this.game.step(this.state, action, this.rng())
    this.state = state
    return this.result(reward, done)
  }

  async setPrompt(): Promise<PromptReceipt> {
    this.running('setPrompt')
    throw new BadInputError(NO_PROMPT)
  }

  async snapshot(): Promise<Snapshot> {
    this.running('snapshot')
    const { id: world, modelHash } = this.info
    const { tick, seed } = this
    const state = { state: Float64Array.from(this.state) }
    return {
      format: 'oneiro-snapshot',
      version: FORMAT_VERSION,
      world,
      modelHash,
      tick,
      seed,
      prompt: null,
      state,
    }
  }

  async restore(given: Snapshot): Promise<Tick> {
    this.check('restore')
    const { seed, tick, state } = checkedSnapshot(given, this.info, { state: Float64Array })
    if (!(state.state instanceof Float64Array) || !state.state.every(Number.isFinite))
      throw new BadInputError('A snapshot of a game holds its state, but it is missing. Take a new snapshot.')
    this.seed = seed
    this.tick = tick
    this.epoch++
    this.state = [...state.state]
    return this.result(0, false)
  }

  async readPixels(): Promise<Pixels> {
    this.running('readPixels')
    return this.draw()
  }

  async readTelemetry(): Promise<Telemetry | null> {
    this.running('readTelemetry')
    return this.game.read?.(this.state) ?? null
  }

  async close(): Promise<void> {
    this.closed = true
  }

  /** Of this tick alone, so that a snapshot needs no more than seed and tick. */
  private rng(): Rng {
    return new Rng(this.seed, FIRST_FREE_STREAM, this.tick)
  }

  private check(call: string): void {
    if (this.closed) throw new WorldClosedError(call)
  }

  private running(call: string): void {
    this.check(call)
    if (this.tick < 0) throw new NotReadyError(call)
  }

  private result(reward: number, done: boolean): Tick {
    const telemetry = this.game.read?.(this.state)
    const { tick: index, epoch } = this
    return {
      index,
      epoch,
      frame: this.draw(),
      ...(telemetry ? { telemetry } : {}),
      reward,
      done,
      timings: {},
    }
  }

  private draw(): Pixels {
    const { width, height } = this.game
    const data = new Uint8ClampedArray(width * height * 4).fill(255)
    this.game.draw(this.state, data)
    return { width, height, data }
  }
}
