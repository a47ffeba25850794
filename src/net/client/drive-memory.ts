import type { Action } from '../../engine/controls'
import { unpackFloat16 } from '../../engine/float16'
import type { Prompt, ResetOptions, Snapshot, SnapshotArray } from '../../engine/world'
import type { Manifest, WorldShape } from '../../model/assets/manifest'
import { encodeAction, idleAction } from '../../model/dream/actions'
import { ownWords, toSnapshot } from '../../model/dream/snapshot'
import { unpackLatent } from '../protocol/latents'

/** A world whose latents are understood here. */
export interface Known {
  readonly manifest: Manifest
  readonly shape: WorldShape
}

/** A frame of latents that came. */
export interface Seen {
  readonly tick: number
  readonly payload: Uint8Array
  /** Held when it came; that of the ticks without a frame before it, too. */
  readonly action: Action
}

type Words = NonNullable<Snapshot['prompt']>

/** What is known of a snapshot's state: latents [R,T,C] and actions [A-1,D], newest first. */
interface Origin {
  readonly tick: number
  readonly latents: Float32Array
  readonly actions: Float32Array
}

/** A minute at 20 ticks a second, and about a megabyte. */
const CAPACITY = 1200

/**
 * What a client saw of a drive that a server dreams, to go back in it, and to go on from where the server is gone for
 * good. Latents say all that a dream needs, but for their rounding, so nothing more has to be sent. Frames that never came
 * are taken to be as the one after them.
 */
export class DriveMemory {
  /** Oldest first. */
  private seen: Seen[] = []
  /** Each counts from the tick behind `after` on; oldest first. */
  private words: { readonly after: number; readonly prompt: Words }[] = []
  private seed = 0
  /** What the drive was restored from; it knows the frames before the first. */
  private origin: Origin | null = null

  constructor(
    private readonly known: Known,
    private readonly capacity = CAPACITY,
  ) {}

  /** The first and last tick that `at` and `snapshot` know, or null before the first frame. */
  get range(): { readonly from: number; readonly to: number } | null {
    const [first] = this.seen
    return first ? { from: first.tick, to: this.seen.at(-1)!.tick } : null
  }

  reset({ seed, prompt, start }: ResetOptions): void {
    this.begin(seed, prompt ?? ownWords(this.known.manifest, seed, start), null)
  }

  restore(snapshot: Snapshot): void {
    const { text, embedding } = snapshot.prompt ?? { text: '', embedding: null }
    const { latents, halfLatents = latents, actions } = snapshot.state
    const origin = { tick: snapshot.tick, latents: floatsOf(halfLatents), actions: floatsOf(actions) }
    this.begin(snapshot.seed, embedding ? { text, embedding } : text, origin)
  }

  say(prompt: Prompt | string): void {
    const { text, embedding = null } = typeof prompt === 'string' ? { text: prompt } : prompt
    const { from, to } = this.range ?? { from: 0, to: -1 }
    // What counted before the first frame that is kept is never asked for again.
    const first = this.words.findLastIndex(({ after }) => after < from)
    this.words = [...this.words.slice(Math.max(0, first)), { after: to, prompt: { text, embedding } }]
  }

  /** A frame of latents came, `action` being held. What was seen of its tick and later ones was another future. */
  see(tick: number, payload: Uint8Array, action: Action): void {
    this.cut(tick - 1)
    this.seen.push({ tick, payload, action })
    if (this.seen.length > this.capacity) this.seen.shift()
  }

  /** The newest frame up to a tick, if one is kept. */
  at(tick: number): Seen | undefined {
    return this.seen.findLast((frame) => frame.tick <= tick)
  }

  /** Forgets the frames behind a tick. */
  cut(tick: number): void {
    while (this.seen.length > 0 && this.seen.at(-1)!.tick > tick) this.seen.pop()
  }

  /** Goes on from a tick, with the words that counted there. */
  branch(tick: number): void {
    this.cut(tick)
    this.words = this.words.filter(({ after }, i) => i === 0 || after < tick)
  }

  /** The state at a tick that was seen, or at the newest one. Null where nothing was seen yet. */
  snapshot(tick?: number): Snapshot | null {
    const now = this.at(tick ?? Number.POSITIVE_INFINITY)
    if (!now) return null
    const { shape } = this.known
    const latents = new Float32Array(shape.ringLength * shape.latentLength)
    for (let age = 0; age < shape.ringLength; age++) {
      latents.set(this.latentOf(now.tick - age), age * shape.latentLength)
    }
    const past = Array.from({ length: shape.actionCount - 1 }, (_, age) => this.actionOf(now.tick - age))
    const state = {
      tick: now.tick,
      seed: this.seed,
      ...this.wordsAt(now.tick),
      past: Float32Array.from(past.flat()),
    }
    return toSnapshot(this.known, state, latents)
  }

  private latentOf(tick: number): Float32Array {
    return this.fromOrigin('latents', tick) ?? unpackLatent(this.frameOf(tick).payload, this.known.shape)
  }

  private actionOf(tick: number): number[] {
    const before = this.fromOrigin('actions', tick)
    if (before) return [...before]
    const { manifest } = this.known
    const out = idleAction(manifest)
    if (tick > this.seen[0]!.tick) encodeAction(manifest, this.frameOf(tick).action, out)
    return [...out]
  }

  /** The first frame that is not older than a tick. */
  private frameOf(tick: number): Seen {
    return this.seen.find((frame) => frame.tick >= tick)!
  }

  /** Of a tick up to the first frame, where that is the one that the drive was restored to. */
  private fromOrigin(name: 'latents' | 'actions', tick: number): Float32Array | null {
    const { origin, known } = this
    const age = this.seen[0]!.tick - tick
    if (!origin || origin.tick !== this.seen[0]!.tick || age < 0) return null
    const size = name === 'latents' ? known.shape.latentLength : known.shape.actionDims
    const part = origin[name].subarray(age * size, (age + 1) * size)
    return part.length === size ? part : null
  }

  private wordsAt(tick: number): Words {
    if (tick === this.range!.to) return this.words.at(-1)!.prompt
    return (this.words.findLast(({ after }) => after < tick) ?? this.words[0]!).prompt
  }

  private begin(seed: number, prompt: Prompt | string, origin: Origin | null): void {
    this.seed = seed
    this.seen = []
    this.words = []
    this.origin = origin
    this.say(prompt)
  }
}

function floatsOf(array: SnapshotArray | undefined): Float32Array {
  if (!(array instanceof Uint16Array)) return array instanceof Float32Array ? array : new Float32Array()
  const floats = new Float32Array(array.length)
  unpackFloat16(array, floats)
  return floats
}
