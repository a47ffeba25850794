/** What callers hand to a world, checked: each function throws `BadInputError` with what was expected and what came. */
import { BadInputError, SnapshotMismatchError } from './errors'
import { checkFields, shown } from './fields'
import { seedKey } from './random'
import { FORMAT_VERSION, type Prompt, type ResetOptions, type Snapshot, type WorldInfo } from './world'

/** Throws unless it is a prompt, and this world listens to one. */
export function checkPrompt(prompt: Prompt | string, info: { readonly prompt: boolean } = ANY): void {
  if (!info.prompt) throw new BadInputError(NO_PROMPT)
  if (typeof prompt !== 'string') checkFields('A prompt', prompt, ['text', 'embedding'])
  const text: unknown = typeof prompt === 'string' ? prompt : prompt.text
  if (typeof text !== 'string') {
    throw new BadInputError(
      `A prompt's text is a string, but ${shown(text)} came. Say "a snowy night drive".`,
    )
  }
  const { embedding } = typeof prompt === 'string' ? { embedding: undefined } : prompt
  if (embedding !== undefined && !(embedding instanceof Float32Array)) {
    throw new BadInputError(`A prompt's embedding is a Float32Array, but ${shown(embedding)} came.`)
  }
  if (text.trim() === '' && embedding === undefined) {
    throw new BadInputError(
      'A prompt needs at least one word, but an empty one came. Say "a snowy night drive".',
    )
  }
}

export function checkReset(options: ResetOptions, info: { readonly prompt: boolean } = ANY): void {
  checkFields('A reset', options, ['seed', 'prompt', 'start'])
  seedKey(options.seed)
  if (options.prompt !== undefined) checkPrompt(options.prompt, info)
  if (options.start !== undefined && typeof options.start !== 'string') {
    throw new BadInputError(`A start is named by its id, a string, but ${shown(options.start)} came.`)
  }
}

const ANY = { prompt: true }
/** For a world without one. */
export const NO_PROMPT =
  'This world listens to no words, but a prompt came. Leave it out, as info.prompt says.'

/** False where its arrays are no typed ones any more. */
export function isWhole({ prompt, state }: Snapshot): boolean {
  return [...Object.values(state), prompt?.embedding ?? new Float32Array()].every(ArrayBuffer.isView)
}

type Numbers = Snapshot['state'][string]
type Kind = new (values: readonly number[]) => Numbers

/**
 * A snapshot of this world and model, whole again where it went through JSON, which makes plain objects of its arrays.
 * `kinds`: the arrays of a state that are not of 32-bit floats; how long they must be is for the world to check. Throws
 * `SnapshotMismatchError` for another world, model or version, and `BadInputError` on what is no snapshot.
 */
export function checkedSnapshot(
  given: Snapshot,
  info: Pick<WorldInfo, 'id' | 'modelHash' | 'prompt'>,
  kinds: Readonly<Record<string, Kind>> = {},
): Snapshot {
  // First: that of another world may lack what this one's have.
  if (isObject(given) && typeof given.world === 'string' && given.world !== info.id) {
    throw new SnapshotMismatchError('world', `"${info.id}"`, shown(given.world))
  }
  const snapshot = wholeSnapshot(given, info, kinds)
  const expected = {
    format: 'oneiro-snapshot',
    version: FORMAT_VERSION,
    world: info.id,
    modelHash: info.modelHash,
  }
  for (const field of ['format', 'version', 'world', 'modelHash'] as const) {
    if (snapshot[field] === expected[field]) continue
    throw new SnapshotMismatchError(field, `"${expected[field]}"`, shown(snapshot[field]))
  }
  seedKey(snapshot.seed)
  if (!Number.isSafeInteger(snapshot.tick) || snapshot.tick < 0) {
    throw new BadInputError(`A snapshot's tick is an integer from 0 on, but ${shown(snapshot.tick)} came.`)
  }
  return snapshot
}

/** The same, of whichever world. */
function wholeSnapshot(
  snapshot: Snapshot,
  info: { readonly prompt: boolean },
  kinds: Readonly<Record<string, Kind>> = {},
): Snapshot {
  const { prompt, state } = (snapshot ?? {}) as Partial<Snapshot>
  const words = prompt ?? null
  const isPrompt = info.prompt ? isObject(words) && typeof words.text === 'string' : words === null
  if (!isPrompt || !isObject(state)) {
    const came = isObject(snapshot) ? 'one without its prompt or state' : shown(snapshot)
    throw new BadInputError(`A snapshot is what snapshot() gave, but ${came} came.`)
  }
  const arrays = Object.entries(state).map(([name, array]) => [name, revived(array, kinds[name])])
  const embedding = words?.embedding && (revived(words.embedding) as Float32Array)
  return {
    ...snapshot,
    prompt: words && { text: words.text, embedding: embedding || null },
    state: Object.fromEntries(arrays),
  }
}

/** Numbers as JSON leaves them, `{ "0": 1.5, "1": 2 }` or a plain array, as an array of `Kind`; others as they are. */
function revived(array: unknown, Kind: Kind = Float32Array): unknown {
  if (!isObject(array) || ArrayBuffer.isView(array)) return array
  const values = Object.values(array)
  const isList = Object.keys(array).every((key, i) => key === String(i))
  return isList && values.every((value) => typeof value === 'number') ? new Kind(values) : array
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
