import { BadInputError, SnapshotMismatchError } from '../engine/errors'
import { packHalves, unpackHalves } from '../engine/half'
import { seedKey } from '../engine/random'
import type { ResetOptions, Snapshot } from '../engine/world'
import type { Manifest, WorldShape } from './manifest'
import type { Prompts } from './prompts'
import type { WorldFiles } from './world-files'

/** What a dream is beside its latents. `past` [A-1,2] is its own array and changes with every tick. */
export interface DreamState {
  tick: number
  seed: number
  text: string
  embedding: Float32Array
  readonly past: Float32Array
}

interface Described {
  readonly manifest: Manifest
  readonly shape: WorldShape
}

/** A state and its latents [R,T,C], newest first. */
export interface Beginning {
  readonly state: DreamState
  readonly latents: Float32Array
}

/** The start that a reset asks for: the named one, or the one that the seed chooses. */
export function chosenStart<Start extends { readonly id: string }>(
  starts: readonly Start[],
  seed: number,
  name: string | undefined,
): Start | undefined {
  return name === undefined ? starts[seed % starts.length] : starts.find(({ id }) => id === name)
}

/** What a reset begins with. Throws `BadInputError` on a bad seed, prompt or unknown start. */
export async function firstState(
  { starts }: Pick<WorldFiles, 'starts'>,
  prompts: Prompts,
  { seed, prompt, start }: ResetOptions,
): Promise<Beginning> {
  seedKey(seed)
  const from = chosenStart(starts, seed, start)
  if (!from) {
    const ids = starts.map(({ id }) => id).join(', ')
    throw new BadInputError(`No start is called "${start}". Choose one of ${ids}.`)
  }
  const words = prompt ?? { text: from.caption, embedding: from.embedding }
  const { text, embedding } = await prompts.resolve(words)
  const state = { tick: 0, seed, text, embedding, past: from.actions.slice() }
  return { state, latents: from.latents }
}

/** What a snapshot goes on with. Throws as `fromSnapshot`, and `BadInputError` on a bad prompt. */
export async function restoredState(
  described: Described,
  prompts: Prompts,
  snapshot: Snapshot,
): Promise<Beginning> {
  const { latents, ...rest } = fromSnapshot(described, snapshot)
  const { text, embedding } = snapshot.prompt
  const prompt = await prompts.resolve(embedding ? { text, embedding } : text)
  return { state: { ...rest, ...prompt }, latents }
}

/** `latents` [R,T,C], newest first, belong to the snapshot from now on; at half precision where the state is. */
export function toSnapshot(
  { manifest, shape }: Described,
  state: Omit<DreamState, 'embedding'> & { readonly embedding: Float32Array | null },
  latents: Float32Array,
): Snapshot {
  return {
    format: 'oneiro-snapshot',
    version: 1,
    world: manifest.id,
    modelHash: manifest.modelHash,
    tick: state.tick,
    seed: state.seed,
    prompt: { text: state.text, embedding: state.embedding?.slice() ?? null },
    state: { latents: shape.half ? halvesOf(latents) : latents, actions: state.past.slice() },
  }
}

/**
 * The state that a snapshot holds, without its prompt, in arrays of its own. Throws `SnapshotMismatchError` for another
 * world, model or version, and `BadInputError` where an array has the wrong size or a value that is no number.
 */
export function fromSnapshot({ manifest, shape }: Described, snapshot: Snapshot) {
  const expected = {
    format: 'oneiro-snapshot',
    version: 1,
    world: manifest.id,
    modelHash: manifest.modelHash,
  } as const
  for (const field of ['format', 'version', 'world', 'modelHash'] as const) {
    if (snapshot[field] !== expected[field]) {
      throw new SnapshotMismatchError(field, `"${expected[field]}"`, `"${snapshot[field]}"`)
    }
  }
  seedKey(snapshot.seed)
  if (!Number.isSafeInteger(snapshot.tick) || snapshot.tick < 0) {
    throw new BadInputError(`A snapshot's tick is an integer from 0 on, but ${snapshot.tick} came.`)
  }
  return {
    tick: snapshot.tick,
    seed: snapshot.seed,
    latents: latentsOf(snapshot, shape),
    past: floats(snapshot, 'actions', (shape.actionCount - 1) * shape.actionDims),
  }
}

/** The latents of a snapshot as floats [R,T,C], newest first. Throws `BadInputError`. */
export function latentsOf(snapshot: Snapshot, { ringLength, latentLength, half }: WorldShape): Float32Array {
  const length = ringLength * latentLength
  if (!half) return floats(snapshot, 'latents', length)
  const array = snapshot.state.latents
  // An exponent of ones is an infinity or no number.
  if (
    !(array instanceof Uint16Array) ||
    array.length !== length ||
    array.some((bits) => (bits & 0x7c00) === 0x7c00)
  ) {
    throw new BadInputError(
      `A snapshot's state.latents is a Uint16Array of ${length} finite half-precision floats, but ${
        array ? `a ${array.constructor.name} of ${array.length}` : 'none'
      } came. Take the snapshot again.`,
    )
  }
  const latents = new Float32Array(length)
  unpackHalves(array, latents)
  return latents
}

function halvesOf(numbers: Float32Array): Uint16Array {
  const halves = new Uint16Array(numbers.length)
  packHalves(numbers, halves)
  return halves
}

function floats({ state }: Snapshot, name: string, length: number): Float32Array {
  const array = state[name]
  if (!(array instanceof Float32Array) || array.length !== length || !array.every(Number.isFinite)) {
    throw new BadInputError(
      `A snapshot's state.${name} is a Float32Array of ${length} finite numbers, but ${
        array ? `a ${array.constructor.name} of ${array.length}` : 'none'
      } came. Take the snapshot again.`,
    )
  }
  return array.slice()
}
