import { type ActionLog, firstTick, lastTick, readActionLog } from '../../engine/action-log'
import { fromBase64, toBase64 } from '../../engine/base64'
import type { Control } from '../../engine/controls'
import { BadInputError } from '../../engine/errors'
import { seedKey } from '../../engine/random'
import { FORMAT_VERSION } from '../../engine/world'

/** Of what a link holds, unpacked: a drive of an hour is far below it, and a bomb far above. */
const MAX_BYTES = 4_000_000
const MAX_TICKS = 100_000
const DAMAGED = 'The link to this moment is damaged, so its drive begins anew. Ask for the whole link.'

/** What a link to a moment says, as short as it can be. */
interface Packed {
  readonly v: typeof FORMAT_VERSION
  readonly w: string
  readonly m: string
  readonly b: string
  readonly r: unknown
  /** Action codes, each with how often it came in a row. */
  readonly a: readonly number[]
  readonly p: unknown
  /** Hash of the moment's frame. */
  readonly h: string | null
}

/**
 * The drive up to now as the text of a link's fragment. Rejects with a sentence where the drive began from a snapshot, which is
 * too long for a link.
 */
export async function packMoment(log: ActionLog): Promise<string> {
  if (!('reset' in log.begin)) {
    throw new BadInputError(
      'This drive went on from a saved state, which is too long for a link. Save the drive as a file (L) and send that.',
    )
  }
  const packed: Packed = {
    v: FORMAT_VERSION,
    w: log.world,
    m: log.modelHash,
    b: log.backend,
    r: log.begin.reset,
    a: inRows(log.actions),
    p: log.prompts,
    h: log.hashes.at(-1) ?? null,
  }
  const bytes = new TextEncoder().encode(JSON.stringify(packed))
  return toBase64Url(await through(new CompressionStream('deflate-raw'), bytes))
}

/** The log in a link, for a world with these controls. Rejects with a sentence where it is damaged. */
export async function unpackMoment(text: string, controls: readonly Control[]): Promise<ActionLog> {
  try {
    const packed = await unpack(text)
    const actions = fromRows(packed.a)
    const hashes = [...actions.map(() => null), packed.h]
    const log = {
      ...{
        format: 'oneiro-actions',
        version: packed.v,
        world: packed.w,
        modelHash: packed.m,
        backend: packed.b,
      },
      ...{ controls, begin: { reset: packed.r }, actions, prompts: packed.p, hashes },
    }
    return readActionLog(JSON.stringify(log))
  } catch (cause) {
    throw new BadInputError(DAMAGED, { cause })
  }
}

/** Seed and words that a link's drive begins with, before any world is open; null where it is damaged. */
export async function beginningIn(text: string): Promise<{ seed: number; prompt: string | null } | null> {
  try {
    const { seed, prompt } = Object((await unpack(text)).r)
    seedKey(seed)
    return { seed, prompt: typeof prompt?.text === 'string' ? prompt.text : null }
  } catch {
    return null
  }
}

async function unpack(text: string): Promise<Packed> {
  const bytes = await through(new DecompressionStream('deflate-raw'), fromBase64Url(text))
  return JSON.parse(new TextDecoder().decode(bytes))
}

/** How long a log's drive took in its world, in words. */
export function lengthOf(log: ActionLog): string {
  const ticks = lastTick(log) - firstTick(log)
  return `${ticks.toLocaleString('en')} ticks`
}

function inRows(codes: readonly number[]): number[] {
  const rows: number[] = []
  for (const code of codes) {
    if (rows.at(-2) === code) rows[rows.length - 1]!++
    else rows.push(code, 1)
  }
  return rows
}

function fromRows(rows: readonly number[]): number[] {
  const codes: number[] = []
  for (let i = 0; i < rows.length; i += 2) {
    const count = rows[i + 1]!
    if (!(Number.isInteger(count) && count > 0 && codes.length + count <= MAX_TICKS))
      throw new Error('bad row')
    for (let n = 0; n < count; n++) codes.push(rows[i]!)
  }
  return codes
}

async function through(
  stream: CompressionStream | DecompressionStream,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> {
  const writer = stream.writable.getWriter()
  // What is wrong with the bytes comes out at the other end.
  writer.write(bytes).catch(() => {})
  writer.close().catch(() => {})
  const parts: Uint8Array[] = []
  let length = 0
  const reader = stream.readable.getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    length += value.length
    if (length > MAX_BYTES) {
      await reader.cancel()
      throw new BadInputError('too long')
    }
    parts.push(value)
  }
  const all = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

function toBase64Url(bytes: Uint8Array): string {
  return toBase64(bytes).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
}

function fromBase64Url(text: string): Uint8Array<ArrayBuffer> {
  return fromBase64(text.replaceAll('-', '+').replaceAll('_', '/'))
}
