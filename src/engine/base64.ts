import { BadInputError } from './errors'

/** Typed arrays that snapshots hold. */
export type Numbers = Float32Array | Float64Array | Uint8Array

/** A typed array in JSON. */
export interface EncodedNumbers {
  readonly type: 'float32' | 'float64' | 'uint8'
  readonly base64: string
}

const CHUNK = 0x8000

/** Little-endian bytes as base64. */
export function encodeNumbers(numbers: Numbers): EncodedNumbers {
  const bytes = new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength)
  let text = ''
  for (let i = 0; i < bytes.length; i += CHUNK) text += String.fromCharCode(...bytes.subarray(i, i + CHUNK))
  const type =
    numbers instanceof Float32Array ? 'float32' : numbers instanceof Float64Array ? 'float64' : 'uint8'
  return { type, base64: btoa(text) }
}

/** Inverse of {@link encodeNumbers}. Throws `BadInputError` where the text is no base64 or cut off within a number. */
export function decodeNumbers({ type, base64 }: EncodedNumbers): Numbers {
  let text: string
  try {
    text = atob(base64)
  } catch (cause) {
    throw new BadInputError('Numbers are written in base64, but this text is not.', { cause })
  }
  const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0))
  const size = { float32: 4, float64: 8, uint8: 1 }[type]
  if (bytes.length % size !== 0) {
    throw new BadInputError(`${type} numbers take ${size} bytes each, but ${bytes.length} bytes came.`)
  }
  if (type === 'float32') return new Float32Array(bytes.buffer)
  if (type === 'float64') return new Float64Array(bytes.buffer)
  return bytes
}
