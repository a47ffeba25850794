import { checkedSnapshot, checkPrompt, checkReset } from '../checks'
import type { TimeSource } from '../clock'
import { type Action, type Control, spaceOf } from '../controls'
import { BadInputError, NotReadyError, WorldClosedError } from '../errors'
import { hashBytes } from '../frame-hash'
import { normals } from '../random'
import { TaskQueue } from '../task-queue'
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
} from '../world'

export interface FakeWorldOptions {
  readonly id?: string
  readonly modelHash?: string
  readonly ticksPerSecond?: number
  /** Left out, `slide` and `light`; of others, too, the first slides and the second lights. */
  readonly controls?: readonly Control[]
  /** False for a world that listens to no words. */
  readonly prompt?: boolean
  readonly width?: number
  readonly height?: number
  /** What one step costs, milliseconds of `time`; a function gets the tick being computed. */
  readonly costMs?: number | ((tick: number) => number)
  /** Where that time passes. Left out, steps cost nothing. */
  readonly time?: TimeSource
  /** Leave `tick.frame` null, as a world does whose frames stay on the GPU. */
  readonly framesOnGpu?: boolean
}

export const FAKE_CONTROLS: readonly Control[] = [
  {
    name: 'slide',
    kind: 'axis',
    values: [-1, 0, 1],
    keys: [
      ['ArrowLeft', 'KeyA'],
      ['ArrowRight', 'KeyD'],
    ],
    pad: 'axis0',
  },
  {
    name: 'light',
    kind: 'axis',
    values: [-1, 0, 1],
    keys: [
      ['ArrowDown', 'KeyS'],
      ['ArrowUp', 'KeyW'],
    ],
    pad: [['axis1+'], ['axis1-']],
  },
]
export const FAKE = spaceOf(FAKE_CONTROLS)
export const IDLE = FAKE.idle
/** All nine, by their codes. */
export const ACTIONS: readonly Action[] = Array.from({ length: FAKE.size }, (_, code) => FAKE.action(code))

const STARTS = ['here', 'there']
const CHANNELS = 4

/**
 * A tiny world with known cost and exact behaviour: the camera slides, the light grows and fades, the prompt tints the picture,
 * and every tick draws noise. It lets the loop, the timeline, the server and the page be tested anywhere.
 */
export class FakeWorld implements World {
  readonly info: WorldInfo
  /** Calls that reached the world, for tests that look at order. */
  readonly calls: string[] = []
  closed = false

  private readonly queue = new TaskQueue()
  private readonly options: FakeWorldOptions
  private readonly noise = new Float32Array(CHANNELS)
  /** x, light, and a slow random walk. */
  private state = new Float32Array(3)
  private seed = 0
  private tick = -1
  private epoch = 0
  private text = ''
  private embedding: Float32Array | null = null
  private failure: Error | null = null

  constructor(options: FakeWorldOptions = {}) {
    this.options = options
    this.info = {
      id: options.id ?? 'fake',
      kind: 'dream',
      backend: 'fake',
      modelHash: options.modelHash ?? 'fake-model',
      width: options.width ?? 8,
      height: options.height ?? 4,
      ticksPerSecond: options.ticksPerSecond ?? 20,
      controls: options.controls ?? FAKE_CONTROLS,
      prompt: options.prompt ?? true,
      telemetry: [{ name: 'speed', unit: '' }],
      reward: true,
      done: true,
    }
  }

  /** The next step rejects with this error, once. */
  failNextStep(error: Error): void {
    this.failure = error
  }

  reset(options: ResetOptions): Promise<Tick> {
    return this.call('reset', () => {
      checkReset(options, this.info)
      const { seed, prompt, start } = options
      const index = start === undefined ? seed % STARTS.length : STARTS.indexOf(start)
      if (index < 0)
        throw new BadInputError(`No start is called "${start}". Choose one of ${STARTS.join(', ')}.`)
      this.seed = seed
      this.tick = 0
      this.epoch++
      this.state = new Float32Array([index * 2, 0, 0])
      this.take(prompt ?? 'a fake morning')
      return this.result({})
    })
  }

  step(action: Action): Promise<Tick> {
    return this.call('step', async () => {
      this.needReset('step')
      spaceOf(this.info.controls).check(action)
      const { costMs = 0, time } = this.options
      const ms = typeof costMs === 'function' ? costMs(this.tick + 1) : costMs
      if (time && ms > 0) await time.sleep(ms)
      if (this.failure) {
        const error = this.failure
        this.failure = null
        throw error
      }
      this.tick++
      normals(this.seed, this.tick, 0, this.noise)
      const [slide = 0, light = 0] = this.info.controls.map(({ name }) => action[name]!)
      this.state[0]! += slide
      this.state[1] = this.state[1]! * 0.9 + light
      this.state[2]! += this.noise[0]! * 0.1
      return this.result({ step: ms })
    })
  }

  setPrompt(prompt: Prompt | string): Promise<PromptReceipt> {
    return this.call('setPrompt', () => {
      this.needReset('setPrompt')
      checkPrompt(prompt, this.info)
      this.take(prompt)
      return { tick: this.tick + 1 }
    })
  }

  snapshot(): Promise<Snapshot> {
    return this.call('snapshot', () => {
      this.needReset('snapshot')
      return {
        format: 'oneiro-snapshot',
        version: FORMAT_VERSION,
        world: this.info.id,
        modelHash: this.info.modelHash,
        tick: this.tick,
        seed: this.seed,
        prompt: this.info.prompt ? { text: this.text, embedding: this.embedding?.slice() ?? null } : null,
        state: { state: this.state.slice() },
      } as const
    })
  }

  restore(given: Snapshot): Promise<Tick> {
    return this.call('restore', () => {
      const snapshot = checkedSnapshot(given, this.info)
      const state = snapshot.state.state
      if (!(state instanceof Float32Array)) throw new BadInputError('The snapshot lacks state.state.')
      this.seed = snapshot.seed
      this.tick = snapshot.tick
      this.epoch++
      this.state = state.slice()
      this.text = snapshot.prompt?.text ?? ''
      this.embedding = snapshot.prompt?.embedding?.slice() ?? null
      return this.result({})
    })
  }

  readPixels(): Promise<Pixels> {
    return this.call('readPixels', () => {
      this.needReset('readPixels')
      return this.draw()
    })
  }

  readTelemetry(): Promise<Telemetry | null> {
    return this.call('readTelemetry', () => {
      this.needReset('readTelemetry')
      return { speed: this.state[1]! }
    })
  }

  async close(): Promise<void> {
    this.closed = true
  }

  private call<Result>(name: string, job: () => Result | Promise<Result>): Promise<Result> {
    return this.queue.run(() => {
      if (this.closed) throw new WorldClosedError(name)
      this.calls.push(name)
      return job()
    })
  }

  private needReset(call: string): void {
    if (this.tick < 0) throw new NotReadyError(call)
  }

  private take(prompt: Prompt | string): void {
    this.text = typeof prompt === 'string' ? prompt : prompt.text
    this.embedding = (typeof prompt === 'string' ? undefined : prompt.embedding?.slice()) ?? null
  }

  private result(timings: Record<string, number>): Tick {
    return {
      index: this.tick,
      epoch: this.epoch,
      ...(this.options.framesOnGpu
        ? { frame: null }
        : { frame: this.draw(), telemetry: { speed: this.state[1]! } }),
      reward: this.state[1]!,
      done: false,
      timings,
    }
  }

  private draw(): Pixels {
    const { width, height } = this.info
    const tint = Number.parseInt(hashBytes(new TextEncoder().encode(this.text)).slice(0, 6), 16)
    const data = new Uint8ClampedArray(width * height * 4)
    for (let i = 0; i < width * height; i++) {
      const x = (i % width) + this.state[0]! + this.state[2]!
      data[4 * i] = 128 + 60 * Math.sin(x) + 10 * this.state[1]!
      data[4 * i + 1] = (tint >> 8) & 0xff
      data[4 * i + 2] = tint & 0xff
      data[4 * i + 3] = 255
    }
    return { width, height, data }
  }
}
