import type { Action, Control } from './controls'

/** RGBA pixels, row-major from the top left, 8 bits a channel, alpha 255. */
export interface Pixels {
  readonly width: number
  readonly height: number
  readonly data: Uint8ClampedArray
}

/** What a world is, fixed for its lifetime. */
export interface WorldInfo {
  /** World id, for example `drive`. Snapshots and action logs name it. */
  readonly id: string
  /** Who computes the frames. */
  readonly kind: 'simulator' | 'dream' | 'remote'
  /** For example `wasm`, `webgpu`, `node-cpu`, `three`. */
  readonly backend: string
  /** Hash of what decides the frames (weights or simulator version). */
  readonly modelHash: string
  readonly width: number
  readonly height: number
  /** Nominal rate in ticks per second of world time. */
  readonly ticksPerSecond: number
  /** What can be done in it; `spaceOf(controls)` has its actions. The same array for as long as the world is open. */
  readonly controls: readonly Control[]
  /** It listens to words. Where it does not, `setPrompt` and a reset's prompt are refused. */
  readonly prompt: boolean
  /** What its instruments read; empty where it has none. */
  readonly telemetry: readonly Instrument[]
  /** Its ticks say so, where they carry telemetry. A world that knows no reward or end never makes one up. */
  readonly reward: boolean
  readonly done: boolean
}

/** One of a world's instruments. */
export interface Instrument {
  readonly name: string
  readonly unit: string
}

/** Of snapshots and action logs. */
export const FORMAT_VERSION = 2

/**
 * A prompt: the words, and where it is already known, their conditioning (`embedding`: the sentence's, or the
 * labels that a world reads in it).
 *
 * @example
 * await world.setPrompt({ text: 'fog', embedding }) // unit norm; left out, the world computes it
 */
export interface Prompt {
  readonly text: string
  /** Unit-norm sentence embedding. Left out, the world computes it from `text`. */
  readonly embedding?: Float32Array
}

/** When words took effect. */
export interface PromptReceipt {
  /** The first tick that is made under them; null where newer words, a reset or a restore came before they had been read. */
  readonly tick: number | null
}

/**
 * How a world begins.
 *
 * @example
 * await world.reset({ seed: 7, prompt: 'a snowy night drive' })
 */
export interface ResetOptions {
  /** Non-negative safe integer. */
  readonly seed: number
  /** Left out, the world chooses what fits the start, or by the seed. */
  readonly prompt?: Prompt | string
  /** Id of a start state. Left out, the first frame is drawn from the words and the seed, or else the seed chooses a start. */
  readonly start?: string
}

/**
 * What the instruments of a world read at a frame, by the names that its info lists. A dream's are dreamed, as its frames are.
 */
export type Telemetry = Readonly<Record<string, number>>

/** One tick of a world. */
export interface Tick {
  /** Ticks since reset; the frame shown right after a reset has index 0. */
  readonly index: number
  /** Grows by one with every reset and restore, so that stale frames can be dropped by comparison. */
  readonly epoch: number
  /** The frame's pixels, or null where they stay on the GPU (then use `readPixels`). */
  readonly frame: Pixels | null
  /** Of this frame, where the world has instruments and its state is not on a GPU (then use `readTelemetry`). */
  readonly telemetry?: Telemetry
  /** Progress along the world's task in this tick, where the world knows it. */
  readonly reward?: number
  /** True where the world says the episode is over. */
  readonly done?: boolean
  /** Milliseconds by stage, for example `{ student: 21, decoder: 6 }`. */
  readonly timings: Readonly<Record<string, number>>
}

/** What a snapshot's arrays may be. A `Uint16Array` holds half-precision floats as bits. */
export type SnapshotArray = Float32Array | Float64Array | Uint16Array | Uint8Array

/**
 * The whole state of a world at one tick; plain data that survives structured clone, msgpack and JSON. It names its world and
 * model, and another refuses it with `SnapshotMismatchError`.
 *
 * @example
 * const snapshot = await world.snapshot()
 * await world.restore(JSON.parse(JSON.stringify(snapshot)))
 */
export interface Snapshot {
  readonly format: 'oneiro-snapshot'
  readonly version: typeof FORMAT_VERSION
  readonly world: string
  readonly modelHash: string
  readonly tick: number
  readonly seed: number
  /** Null in a world that listens to no words. */
  readonly prompt: { readonly text: string; readonly embedding: Float32Array | null } | null
  /** World-specific state: named typed arrays. */
  readonly state: Readonly<Record<string, SnapshotArray>>
}

/**
 * A world is a pure function stepped once per tick: `tick(state, action, prompt) -> (state', frame)`.
 *
 * Calls are serialised by the world in the order made. The same reset arguments and actions on the same
 * CPU backend give the same frames, bit for bit. Every call but `close` throws `WorldClosedError` after it. A world of one's
 * own is checked by `checkWorld` of `oneiro/testing`.
 *
 * @example
 * let { frame } = await world.reset({ seed: 7 })
 * frame = (await world.step({ jump: 1, run: -1 })).frame // RGBA; null where it stays on a GPU
 */
export interface World {
  readonly info: WorldInfo
  /** Begins anew. Throws `BadInputError` on a bad seed or unknown start, and then the running state is kept. */
  reset(options: ResetOptions): Promise<Tick>
  /** Advances exactly one tick. Throws `BadInputError` on what is no action, and `NotReadyError` before the first reset. */
  step(action: Action): Promise<Tick>
  /**
   * Takes effect on the next tick, or once the words have been read; the receipt says which tick that is. Never resets. Throws
   * `BadInputError` on what is no prompt, or in a world without one.
   */
  setPrompt(prompt: Prompt | string): Promise<PromptReceipt>
  /** The whole state now. Does not disturb play. */
  snapshot(): Promise<Snapshot>
  /** Puts a snapshot back. Throws `SnapshotMismatchError` for another world or model, and then the running state is kept. */
  restore(snapshot: Snapshot): Promise<Tick>
  /** Pixels of the newest frame; on a GPU backend this reads back. */
  readPixels(): Promise<Pixels>
  /** What the instruments read at the newest frame, null where there are none; on a GPU backend this reads back. */
  readTelemetry(): Promise<Telemetry | null>
  /**
   * Continues `count` times from here, 1 to 64, in one forward pass a tick; this world stays where it is. With the same
   * actions a future is what this world would have become. Left out where a world cannot.
   *
   * @example
   * const futures = await world.fork(8)
   * const ticks = await futures.step(plans.map((plan) => plan[0]))
   * await world.restore(await futures.snapshot(best)) // go on with one of them
   */
  readonly fork?: ((count: number) => Promise<Futures>) | undefined
  /** Frees everything; idempotent; every other call afterwards throws `WorldClosedError`. */
  close(): Promise<void>
}

/** Some continuations of one world, advanced together. Futures count from 0. */
export interface Futures {
  readonly count: number
  /**
   * Advances each by one tick with the action of its place. Throws `BadInputError` unless there is an action for each, and
   * then none has moved.
   */
  step(actions: readonly Action[]): Promise<readonly Tick[]>
  /** Takes effect on the next tick of one of them. Throws as `World.setPrompt`. */
  setPrompt(future: number, prompt: Prompt | string): Promise<PromptReceipt>
  /** The whole state of one of them, for `World.restore`. */
  snapshot(future: number): Promise<Snapshot>
  /** Frees them; idempotent; every other call afterwards throws `WorldClosedError`. */
  close(): Promise<void>
}
