/**
 * A latent as a payload: each channel is stretched to its own range over the tokens and rounded to a few bits.
 *
 *     u8 bits   u8 0   u16 tokens   u16 channels
 *     channels x (f16 least, f16 step)
 *     tokens x channels codes of `bits` bits, token by token, least significant bit first
 *
 * value = least + code * step. The payload depends on one latent only, so a lost frame costs no other.
 */
import { float16 } from '../model/safetensors'
import { WireMalformedError } from './errors'
import { float16Bits } from './half'

/** What a latent's size is known by. */
export interface LatentShape {
  readonly tokens: number
  readonly channels: number
}

/** Bits a value: README.md has what each count costs in bytes and in PSNR. */
export const LATENT_BITS = 4

const HEADER = 6

/** Bytes of a payload. */
export function latentBytes({ tokens, channels }: LatentShape, bits = LATENT_BITS): number {
  return HEADER + 4 * channels + Math.ceil((tokens * channels * bits) / 8)
}

/** Packs a latent [T,C] at 1 to 8 bits a value. */
export function packLatent(latent: Float32Array, shape: LatentShape, bits = LATENT_BITS): Uint8Array {
  const { tokens, channels } = shape
  const out = new Uint8Array(latentBytes(shape, bits))
  const view = new DataView(out.buffer)
  out[0] = bits
  view.setUint16(2, tokens, true)
  view.setUint16(4, channels, true)
  const levels = 2 ** bits - 1
  const least = new Float64Array(channels)
  const step = new Float64Array(channels)
  for (let c = 0; c < channels; c++) {
    let low = Number.POSITIVE_INFINITY
    let high = Number.NEGATIVE_INFINITY
    for (let i = c; i < latent.length; i += channels) {
      low = Math.min(low, latent[i]!)
      high = Math.max(high, latent[i]!)
    }
    // The codes are taken from the rounded range, so that its rounding adds nothing to theirs.
    const lowBits = float16Bits(low)
    const stepBits = float16Bits((high - float16(lowBits)) / levels)
    least[c] = float16(lowBits)
    step[c] = float16(stepBits)
    view.setUint16(HEADER + 4 * c, lowBits, true)
    view.setUint16(HEADER + 4 * c + 2, stepBits, true)
  }
  let at = HEADER + 4 * channels
  let held = 0
  let heldBits = 0
  for (let i = 0; i < latent.length; i++) {
    const c = i % channels
    const code = step[c]! > 0 ? Math.round((latent[i]! - least[c]!) / step[c]!) : 0
    held |= Math.min(levels, Math.max(0, code)) << heldBits
    heldBits += bits
    while (heldBits >= 8) {
      out[at++] = held & 0xff
      held >>>= 8
      heldBits -= 8
    }
  }
  if (heldBits > 0) out[at] = held
  return out
}

/** The latent [T,C] of a payload. Throws `WireMalformedError` where it is not one of this shape. */
export function unpackLatent(payload: Uint8Array, shape: LatentShape): Float32Array {
  const { tokens, channels } = shape
  const bits = payload[0] ?? 0
  if (bits < 1 || bits > 8 || payload.length !== latentBytes(shape, bits)) {
    throw malformed(`${payload.length} bytes at ${bits} bits a value are no latent of ${tokens}x${channels}`)
  }
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength)
  if (view.getUint16(2, true) !== tokens || view.getUint16(4, true) !== channels) {
    throw malformed(`it is ${view.getUint16(2, true)}x${view.getUint16(4, true)}, not ${tokens}x${channels}`)
  }
  const least = new Float64Array(channels)
  const step = new Float64Array(channels)
  for (let c = 0; c < channels; c++) {
    least[c] = float16(view.getUint16(HEADER + 4 * c, true))
    step[c] = float16(view.getUint16(HEADER + 4 * c + 2, true))
    if (!Number.isFinite(least[c]!) || !Number.isFinite(step[c]!)) {
      throw malformed(`the range of channel ${c} is not finite`)
    }
  }
  const latent = new Float32Array(tokens * channels)
  const mask = 2 ** bits - 1
  let at = HEADER + 4 * channels
  let held = 0
  let heldBits = 0
  for (let i = 0; i < latent.length; i++) {
    while (heldBits < bits) {
      held |= payload[at++]! << heldBits
      heldBits += 8
    }
    const c = i % channels
    latent[i] = least[c]! + (held & mask) * step[c]!
    held >>>= bits
    heldBits -= bits
  }
  return latent
}

function malformed(what: string): WireMalformedError {
  return new WireMalformedError('frame', what)
}
