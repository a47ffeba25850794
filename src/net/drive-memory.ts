import { type Action, IDLE } from '../engine/action'
import type { Prompt, ResetOptions, Snapshot } from '../engine/world'
import type { Manifest, WorldShape } from '../model/manifest'
import { chosenStart, toSnapshot } from '../model/snapshot'
import { unpackLatent } from './latents'

/** A world whose latents are understood here. */
export interface Known {
  readonly manifest: Manifest
  readonly shape: WorldShape
}

/**
 * What a client saw last of a drive that a server dreams, as a snapshot to go on from where the server is gone for good.
 * Latents say all that a dream needs, but for their rounding, so nothing more has to be sent. Frames that never came are
 * taken to be as the one after them.
 */
export class DriveMemory {
  /** Newest first. */
  private seen: { readonly tick: number; readonly payload: Uint8Array }[] = []
  /** Newest first. */
  private actions: Action[] = []
  private seed = 0
  private prompt: Snapshot['prompt'] = { text: '', embedding: null }

  constructor(private readonly known: Known) {}

  reset({ seed, prompt, start }: ResetOptions): void {
    const from = chosenStart(this.known.manifest.starts, seed, start)
    this.begin(seed, prompt ?? from?.caption ?? '')
  }

  restore({ seed, prompt: { text, embedding } }: Snapshot): void {
    this.begin(seed, embedding ? { text, embedding } : text)
  }

  say(prompt: Prompt | string): void {
    const { text, embedding = null } = typeof prompt === 'string' ? { text: prompt } : prompt
    this.prompt = { text, embedding }
  }

  /** A frame of latents came, `action` being held. One that is not newer than the newest begins another past. */
  see(tick: number, payload: Uint8Array, action: Action): void {
    const { ringLength, actionCount } = this.known.shape
    const newest = this.seen[0]?.tick ?? tick
    const before = tick > newest ? this.seen : []
    this.seen = [{ tick, payload }, ...before.filter((frame) => tick - frame.tick < ringLength)]
    const passed = Math.min(Math.max(0, tick - newest), actionCount - 1)
    this.actions = [...Array<Action>(passed).fill(action), ...this.actions].slice(0, actionCount - 1)
  }

  /** Null where nothing was seen yet. */
  snapshot(): Snapshot | null {
    const newest = this.seen[0]
    if (!newest) return null
    const { shape } = this.known
    const latents = new Float32Array(shape.ringLength * shape.latentLength)
    const oldestFirst = this.seen.toReversed()
    for (let age = 0; age < shape.ringLength; age++) {
      const wanted = newest.tick - age
      const { payload } = oldestFirst.find(({ tick }) => tick >= wanted)!
      latents.set(unpackLatent(payload, shape), age * shape.latentLength)
    }
    const past = Array.from({ length: shape.actionCount - 1 }, (_, age) => this.actions[age] ?? IDLE)
    const actions = Float32Array.from(past.flatMap(({ steer, throttle }) => [steer, throttle]))
    const state = { tick: newest.tick, seed: this.seed, ...this.prompt, past: actions }
    return toSnapshot(this.known, state, latents)
  }

  private begin(seed: number, prompt: Prompt | string): void {
    this.seed = seed
    this.seen = []
    this.actions = []
    this.say(prompt)
  }
}
