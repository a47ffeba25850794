import { BadInputError } from './errors'

import type { SnapshotArray } from './world'

/** The kinds of numbers in JSON; `uint16` is also what half-precision floats are kept as. */
export const NUMBER_TYPES = ['float32', 'float64', 'uint16', 'uint8'] as const

/** A typed array in JSON. */
export interface EncodedNumbers {
  readonly type: (typeof NUMBER_TYPES)[number]
  readonly base64: string
}

const CHUNK = 0x8000

export function toBase64(bytes: Uint8Array): string {
  let text = ''
  for (let i = 0; i < bytes.length; i += CHUNK) text += String.fromCharCode(...bytes.subarray(i, i + CHUNK))
  return btoa(text)
}

/** Inverse of {@link toBase64}. Throws a `DOMException` where the text is no base64. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
}

/** Little-endian bytes as base64. */
export function encodeNumbers(numbers: SnapshotArray): EncodedNumbers {
  const bytes = new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength)
  return { type: typeOf(numbers), base64: toBase64(bytes) }
}

/** Inverse of {@link encodeNumbers}. Throws `BadInputError` where the text is no base64 or cut off within a number. */
export function decodeNumbers({ type, base64 }: EncodedNumbers): SnapshotArray {
  let bytes: Uint8Array<ArrayBuffer>
  try {
    bytes = fromBase64(base64)
  } catch (cause) {
    throw new BadInputError('Numbers are written in base64, but this text is not.', { cause })
  }
  const size = { float32: 4, float64: 8, uint16: 2, uint8: 1 }[type]
  if (bytes.length % size !== 0) {
    throw new BadInputError(`${type} numbers take ${size} bytes each, but ${bytes.length} bytes came.`)
  }
  if (type === 'float32') return new Float32Array(bytes.buffer)
  if (type === 'float64') return new Float64Array(bytes.buffer)
  if (type === 'uint16') return new Uint16Array(bytes.buffer)
  return bytes
}

function typeOf(numbers: SnapshotArray): EncodedNumbers['type'] {
  if (numbers instanceof Float32Array) return 'float32'
  if (numbers instanceof Float64Array) return 'float64'
  return numbers instanceof Uint16Array ? 'uint16' : 'uint8'
}
