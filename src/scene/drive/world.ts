import { checkedSnapshot, checkPrompt, checkReset } from '../../engine/checks'
import type { Action } from '../../engine/controls'
import { BadInputError, NotReadyError, WorldClosedError } from '../../engine/errors'
import { Rng } from '../../engine/random'
import {
  FORMAT_VERSION,
  type Pixels,
  type Prompt,
  type PromptReceipt,
  type ResetOptions,
  type Snapshot,
  type Telemetry,
  type Tick,
  type World,
  type WorldInfo,
} from '../../engine/world'
import { BIOMES, caption, heardIn, type Setting, settingFromText, TIMES, WEATHERS } from './captions'
import { checkDriveAction, DRIVE_CONTROLS } from './controls'
import { carsLike, type Moment } from './likeness'
import { RecoveringRenderer } from './recovering-renderer'
import { HEIGHT, WIDTH } from './renderer'
import { Simulation } from './simulation'
import { doneOf, rewardOf, TELEMETRY } from './telemetry'

/** Changes whenever the same seed and actions would no longer give the same frames. */
export const SIMULATOR_VERSION = 'drive-simulator-2'
const START_STREAM = 16
const PLAIN: Setting = { biome: 'meadow', time: 'noon', weather: 'clear' }

/** The setting that a seed starts in when no prompt says otherwise. */
export function startSetting(seed: number): Setting {
  const rng = new Rng(seed, START_STREAM)
  return { biome: rng.pick(BIOMES), time: rng.pick(TIMES), weather: rng.pick(WEATHERS) }
}

/** A moment of another world's drive, under words. */
export interface ToldMoment extends Moment {
  readonly text: string
  /** What the other world read in them; left out, they are read here. */
  readonly heard?: {
    /** As `{ time: 'night' }`. */
    readonly values: Readonly<Record<string, string>>
    /** The same as the other world has it. It stays with the drive until other words come. */
    readonly labels: Float32Array
  }
}

/** A world that can go on where another one is. */
export interface Simulator extends World {
  /**
   * States of this world that are like those moments of another one's drive, oldest first. Speed, place on the road and words are
   * taken over; the road stays that of the seed.
   */
  retrace(seed: number, moments: readonly ToldMoment[]): Snapshot[]
}

/** The simulator behind the one interface: the ground truth that the dream is judged against. */
export class SimulatorWorld implements Simulator {
  readonly info: WorldInfo = {
    id: 'drive',
    kind: 'simulator',
    backend: 'three',
    modelHash: SIMULATOR_VERSION,
    width: WIDTH,
    height: HEIGHT,
    ticksPerSecond: 20,
    controls: DRIVE_CONTROLS,
    prompt: true,
    telemetry: TELEMETRY,
    reward: true,
    done: true,
  }
  private readonly graphics: RecoveringRenderer
  private simulation: Simulation | null = null
  private text = ''
  /** Of another world, where the words were read there. */
  private labels: Float32Array | null = null
  private epoch = 0
  private pixels: Pixels | null = null
  private closed = false

  constructor(canvas?: HTMLCanvasElement | OffscreenCanvas) {
    this.graphics = new RecoveringRenderer(canvas)
  }

  async reset(options: ResetOptions): Promise<Tick> {
    this.check('reset')
    checkReset(options)
    const words = options.prompt === undefined ? undefined : textOf(options.prompt)
    const base = options.start === undefined ? startSetting(options.seed) : settingOfStart(options.start)
    const setting = words === undefined ? base : settingFromText(words, base)
    this.text = words ?? caption(setting, () => 0)
    this.labels = null
    this.simulation = new Simulation(options.seed, setting)
    this.epoch++
    return this.draw(0)
  }

  async step(action: Action): Promise<Tick> {
    const simulation = this.running('step')
    checkDriveAction(action)
    const started = performance.now()
    simulation.step(action)
    return this.draw(performance.now() - started)
  }

  async setPrompt(prompt: Prompt | string): Promise<PromptReceipt> {
    const simulation = this.running('setPrompt')
    this.text = textOf(prompt)
    this.labels = null
    simulation.becomeText(this.text)
    return { tick: simulation.tick + 1 }
  }

  async snapshot(): Promise<Snapshot> {
    return this.snapshotOf(this.running('snapshot'), this.text, this.labels)
  }

  retrace(seed: number, moments: readonly ToldMoment[]): Snapshot[] {
    const cars = carsLike(seed, moments)
    return moments.map(({ tick, text, heard }, i) => {
      const simulation = new Simulation(seed, settingLike(startSetting(seed), heard?.values ?? heardIn(text)))
      simulation.tick = tick
      simulation.car = cars[i]!
      return this.snapshotOf(simulation, text, heard?.labels ?? null)
    })
  }

  async restore(given: Snapshot): Promise<Tick> {
    this.check('restore')
    const snapshot = checkedSnapshot(given, this.info, { simulation: Float64Array, setting: Uint8Array })
    const { simulation, setting } = snapshot.state
    if (!(simulation instanceof Float64Array) || !(setting instanceof Uint8Array)) {
      throw new BadInputError(
        'A simulator snapshot holds `simulation` and `setting`, but they are missing. Take a new snapshot.',
      )
    }
    const blank = new Simulation(0, PLAIN).toArray()
    if (simulation.length !== blank.length || !simulation.every(Number.isFinite)) {
      throw new BadInputError(
        `A simulator snapshot holds ${blank.length} finite numbers, but ${simulation.length} came, or one is none. Take a new snapshot.`,
      )
    }
    const named = { biome: BIOMES[setting[0]!], time: TIMES[setting[1]!], weather: WEATHERS[setting[2]!] }
    if (!named.biome || !named.time || !named.weather) {
      throw new BadInputError(
        `The snapshot's setting ${[...setting]} names no known biome, time or weather. Take a new snapshot.`,
      )
    }
    this.simulation = Simulation.fromArray(snapshot.seed, named as Setting, simulation)
    this.text = snapshot.prompt!.text
    this.labels = snapshot.prompt!.embedding ?? null
    this.epoch++
    return this.draw(0)
  }

  async readPixels(): Promise<Pixels> {
    this.running('readPixels')
    return this.pixels!
  }

  async readTelemetry(): Promise<Telemetry> {
    return this.running('readTelemetry').reading()
  }

  async close(): Promise<void> {
    if (this.closed) return
    this.closed = true
    this.graphics.renderer.dispose()
  }

  private snapshotOf(simulation: Simulation, text: string, labels: Float32Array | null): Snapshot {
    const { biome, time, weather } = simulation.setting
    return {
      format: 'oneiro-snapshot',
      version: FORMAT_VERSION,
      world: this.info.id,
      modelHash: this.info.modelHash,
      tick: simulation.tick,
      seed: simulation.seed,
      prompt: { text, embedding: labels },
      state: {
        simulation: simulation.toArray(),
        setting: Uint8Array.of(BIOMES.indexOf(biome), TIMES.indexOf(time), WEATHERS.indexOf(weather)),
      },
    }
  }

  /** At once, so that calls keep their order; later where the graphics were lost and must come back first. */
  private draw(physics: number): Tick | Promise<Tick> {
    const tick = this.drawNow(physics)
    return this.graphics.lost ? this.graphics.recover().then(() => this.draw(physics)) : tick
  }

  private drawNow(physics: number): Tick {
    const reading = this.simulation!.reading()
    const { seed, tick, car, braking } = this.simulation!
    const started = performance.now()
    this.pixels = this.graphics.renderer.render(seed, tick, car, braking, this.simulation!.look())
    const timings = { physics, render: performance.now() - started }
    return {
      index: tick,
      epoch: this.epoch,
      frame: this.pixels,
      telemetry: reading,
      reward: rewardOf(reading),
      done: doneOf(reading),
      timings,
    }
  }

  private check(call: string): void {
    if (this.closed) throw new WorldClosedError(call)
  }

  private running(call: string): Simulation {
    this.check(call)
    if (!this.simulation) throw new NotReadyError(call)
    return this.simulation
  }
}

function textOf(prompt: Prompt | string): string {
  checkPrompt(prompt)
  const text = (typeof prompt === 'string' ? prompt : prompt.text).trim()
  if (text) return text
  throw new BadInputError('The simulator reads words, but none came. Say for example "a snowy night drive".')
}

/** With what was heard; where no weather was, the sky is clear, as nobody says. */
function settingLike(start: Setting, heard: Readonly<Record<string, string>>): Setting {
  const { biome, time, weather } = heard
  return {
    biome: BIOMES.find((name) => name === biome) ?? start.biome,
    time: TIMES.find((name) => name === time) ?? start.time,
    weather: WEATHERS.find((name) => name === weather) ?? 'clear',
  }
}

/** A start of the dream is named after its setting, for example "snow-night-clear". */
function settingOfStart(start: string): Setting {
  const named = heardIn(start)
  if (Object.keys(named).length > 0) return { ...PLAIN, ...named }
  throw new BadInputError(`No start is called "${start}". Name a place, as in "snow-night-clear".`)
}
