import { checkedSnapshot, checkReset } from '../../engine/checks'
import { BadInputError } from '../../engine/errors'
import { packFloat16, unpackFloat16 } from '../../engine/float16'
import { FORMAT_VERSION, type ResetOptions, type Snapshot } from '../../engine/world'
import type { Manifest, WorldShape } from '../assets/manifest'
import type { FloatTensor } from '../assets/safetensors'
import type { WorldFiles } from '../assets/world-files'
import { startsLike } from '../prompt/labels'
import type { Prompts } from '../prompt/prompts'
import { NO_WORDS, type ResolvedPrompt } from '../prompt/resolved'
import { largestAction } from './actions'

/** What a dream is beside its latents. `past` [A-1,D] is its own array and changes with every tick. */
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

/** A state and its latents [R,T,C], newest first. Where its tick is below 0, so many ticks of nothing held lead to frame 0. */
export interface Beginning {
  readonly state: DreamState
  readonly latents: Float32Array
}

/** The arrays of a dream's state that are not of 32-bit floats. */
export const SNAPSHOT_KINDS = { halfLatents: Uint16Array }

/** The start that a reset asks for: the named one, or the one that the seed chooses. */
function chosenStart<Start extends { readonly id: string }>(
  starts: readonly Start[],
  seed: number,
  name: string | undefined,
): Start | undefined {
  return name === undefined ? starts[seed % starts.length] : starts.find(({ id }) => id === name)
}

/** The words of a drive that was told none: those of its start, or, where it begins from words alone, a preset by the seed. */
export function ownWords(
  { starts, presets, beginnings }: Pick<Manifest, 'starts' | 'presets' | 'beginnings'>,
  seed: number,
  start: string | undefined,
): string {
  if (start === undefined && beginnings) return presets[seed % presets.length]?.text ?? ''
  return chosenStart(starts, seed, start)?.caption ?? ''
}

/** What a reset begins with. Throws `BadInputError` on a bad seed, prompt or unknown start. */
export async function firstState(
  files: Pick<WorldFiles, 'manifest' | 'shape' | 'starts' | 'beginnings'>,
  prompts: Prompts,
  options: ResetOptions,
): Promise<Beginning> {
  checkReset(options)
  const { manifest, starts } = files
  const { seed, prompt, start } = options
  if (start !== undefined && !chosenStart(starts, seed, start)) {
    const ids = starts.map(({ id }) => id).join(', ')
    throw new BadInputError(`No start is called "${start}". Choose one of ${ids}.`)
  }
  const told = prompt === undefined ? null : await prompts.resolve(prompt)
  if (start === undefined && manifest.beginnings) {
    const words =
      told ?? (manifest.prompt ? await prompts.resolve(ownWords(manifest, seed, start)) : NO_WORDS)
    return fromWords(files, seed, words)
  }
  const choices = manifest.prompt?.choices
  // A drive begins where its words are.
  const fitting =
    told && choices && start === undefined ? startsLike(starts, told.embedding, choices) : starts
  const from = chosenStart(fitting, seed, start)!
  const own = { text: from.caption, embedding: from.embedding }
  const { text, embedding } = told ?? (manifest.prompt ? await prompts.resolve(own) : NO_WORDS)
  const state = { tick: 0, seed, text, embedding, past: from.actions.slice() }
  return { state, latents: from.latents }
}

/** A blank history under instruments that the seed picks: the student draws the rest. */
function fromWords(
  { manifest, shape, beginnings }: Pick<WorldFiles, 'manifest' | 'shape' | 'beginnings'>,
  seed: number,
  words: ResolvedPrompt,
): Beginning {
  const { instruments, actions } = beginnings!
  const row = ({ data, shape: [count = 1] }: FloatTensor) => {
    const length = data.length / count
    return data.slice((seed % count) * length, ((seed % count) + 1) * length)
  }
  const reads = row(instruments)
  const latents = new Float32Array(shape.ringLength * shape.latentLength)
  for (let end = shape.latentLength; end <= latents.length; end += shape.latentLength) {
    latents.set(reads, end - reads.length)
  }
  return { state: { tick: -manifest.beginnings!.steps, seed, ...words, past: row(actions) }, latents }
}

/** What a snapshot goes on with. Throws as `checkedSnapshot`, and `BadInputError` on a bad prompt or state. */
export async function restoredState(
  described: Described,
  prompts: Prompts,
  given: Snapshot,
): Promise<Beginning> {
  const { id, modelHash, prompt: listens } = described.manifest
  const snapshot = checkedSnapshot(given, { id, modelHash, prompt: listens !== undefined }, SNAPSHOT_KINDS)
  const { latents, ...rest } = fromSnapshot(described, snapshot)
  const { text, embedding } = snapshot.prompt ?? NO_WORDS
  const prompt = snapshot.prompt ? await prompts.resolve(embedding ? { text, embedding } : text) : NO_WORDS
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
    version: FORMAT_VERSION,
    world: manifest.id,
    modelHash: manifest.modelHash,
    tick: state.tick,
    seed: state.seed,
    prompt: manifest.prompt ? { text: state.text, embedding: state.embedding?.slice() ?? null } : null,
    state: {
      ...(shape.half ? { halfLatents: halvesOf(latents) } : { latents }),
      actions: state.past.slice(),
    },
  }
}

/** Latents are some units large. From far above, a student comes back; from the end of float32 it gives NaN for good. */
const LARGEST_LATENT = 1000

/**
 * The state that a checked snapshot holds, without its prompt, in arrays of its own. Throws `BadInputError` where an array
 * has the wrong size or a value that no drive has.
 */
function fromSnapshot({ manifest, shape }: Described, snapshot: Snapshot) {
  return {
    tick: snapshot.tick,
    seed: snapshot.seed,
    latents: latentsOf(snapshot, shape),
    past: floats(snapshot, 'actions', (shape.actionCount - 1) * shape.actionDims, largestAction(manifest)),
  }
}

/** The latents of a snapshot as floats [R,T,C], newest first. Throws `BadInputError`. */
function latentsOf(snapshot: Snapshot, { ringLength, latentLength, half }: WorldShape): Float32Array {
  const length = ringLength * latentLength
  if (!half) return floats(snapshot, 'latents', length, LARGEST_LATENT)
  const halves = snapshot.state.halfLatents
  if (halves instanceof Uint16Array) {
    const latents = new Float32Array(halves.length)
    unpackFloat16(halves, latents)
    if (isWithin(latents, length, LARGEST_LATENT)) return latents
  }
  throw badArray(snapshot, 'halfLatents', length, LARGEST_LATENT, 'Uint16Array')
}

function halvesOf(numbers: Float32Array): Uint16Array {
  const halves = new Uint16Array(numbers.length)
  packFloat16(numbers, halves)
  return halves
}

function floats(snapshot: Snapshot, name: string, length: number, largest: number): Float32Array {
  const array = snapshot.state[name]
  if (array instanceof Float32Array && isWithin(array, length, largest)) return array.slice()
  throw badArray(snapshot, name, length, largest, 'Float32Array')
}

/** Written so that NaN fails it. */
function isWithin(array: Float32Array, length: number, largest: number): boolean {
  return array.length === length && array.every((value) => Math.abs(value) <= largest)
}

function badArray({ state }: Snapshot, name: string, length: number, largest: number, expected: string) {
  const array = state[name]
  const bad = array instanceof Float32Array ? array.find((value) => !(Math.abs(value) <= largest)) : undefined
  const kind = ArrayBuffer.isView(array) ? array.constructor.name : 'list'
  const came = array ? `a ${kind} of ${Object.keys(array).length}` : 'none'
  const numbers = expected === 'Uint16Array' ? 'half-precision floats, as bits,' : 'finite numbers'
  return new BadInputError(
    `A snapshot's state.${name} is a ${expected} of ${length} ${numbers} from -${largest} to ${largest}, but ${came}${bad === undefined ? '' : ` with ${bad}`} came. Keep a snapshot whole: structuredClone, IndexedDB and JSON all do.`,
  )
}
