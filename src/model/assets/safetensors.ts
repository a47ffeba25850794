import { float16 } from '../../engine/float16'
import { AssetCorruptError } from '../errors'

/** A tensor widened to float32; `shape` is outermost first. */
export interface FloatTensor {
  readonly shape: readonly number[]
  readonly data: Float32Array
}

const BYTES = { F32: 4, F16: 2 } as const

/**
 * The float tensors of a safetensors file (https://github.com/huggingface/safetensors): an 8-byte little-endian header
 * length, a JSON header of names, dtypes, shapes and offsets, then the data.
 *
 * Throws `AssetCorruptError` that names `file` where the bytes do not add up or a dtype is neither F16 nor F32.
 */
export function readSafetensors(bytes: Uint8Array, file: string): Map<string, FloatTensor> {
  const corrupt = (what: string, cause?: unknown) => new AssetCorruptError(file, what, { cause })
  if (bytes.length < 8) throw corrupt(`it has ${bytes.length} bytes and no header`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const headerLength = Number(view.getBigUint64(0, true))
  const dataStart = 8 + headerLength
  if (dataStart > bytes.length)
    throw corrupt(`its header says ${headerLength} bytes, but the file ends before`)

  let header: Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }>
  try {
    header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, dataStart)))
  } catch (cause) {
    throw corrupt('its header is not JSON', cause)
  }

  const tensors = new Map<string, FloatTensor>()
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') continue
    const size = BYTES[entry.dtype as keyof typeof BYTES]
    if (size === undefined) throw corrupt(`"${name}" is ${entry.dtype}, but F16 or F32 was expected`)
    const [start, end] = entry.data_offsets
    const count = entry.shape.reduce((product, length) => product * length, 1)
    if (end - start !== count * size || dataStart + end > bytes.length) {
      throw corrupt(`"${name}" of shape ${entry.shape} needs ${count * size} bytes, but has ${end - start}`)
    }
    // A copy, because tensors in the file need not be aligned to their own size.
    const raw = bytes.slice(dataStart + start, dataStart + end).buffer
    const data = size === 4 ? new Float32Array(raw) : Float32Array.from(new Uint16Array(raw), float16)
    tensors.set(name, { shape: entry.shape, data })
  }
  return tensors
}
