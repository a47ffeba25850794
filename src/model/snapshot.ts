import { BadInputError, SnapshotMismatchError } from '../engine/errors'
import { seedKey } from '../engine/random'
import type { Snapshot } from '../engine/world'
import type { Manifest, WorldShape } from './manifest'

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

/** `latents` [R,T,C], newest first, belong to the snapshot from now on. */
export function toSnapshot({ manifest }: Described, state: DreamState, latents: Float32Array): Snapshot {
  return {
    format: 'oneiro-snapshot',
    version: 1,
    world: manifest.id,
    modelHash: manifest.modelHash,
    tick: state.tick,
    seed: state.seed,
    prompt: { text: state.text, embedding: state.embedding.slice() },
    state: { latents, actions: state.past.slice() },
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
    latents: floats(snapshot, 'latents', shape.ringLength * shape.latentLength),
    past: floats(snapshot, 'actions', (shape.actionCount - 1) * shape.actionDims),
  }
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
