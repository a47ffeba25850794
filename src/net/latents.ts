/**
 * A latent as a payload: each channel is rounded to whole steps, the smaller the more the channel moves the picture, and the
 * steps' numbers are range coded.
 *
 *     u8 2   u8 0   u16 tokens   u16 channels
 *     channels x u8 code of the step, 2^((code - 128) / 8)
 *     range coded, channel by channel, of each token's number of steps:
 *       its length in bits, by one question for each bit that it may have more; its sign; its bits below the first
 *
 * The payload depends on one latent only, so a lost frame costs no other.
 */
import { WireMalformedError } from './errors'
import { Odds, RangeDecoder, RangeEncoder } from './range-coder'

/** What a latent's size is known by. */
export interface LatentShape {
  readonly tokens: number
  readonly channels: number
  /** How far a unit of each channel moves the picture, in any unit; all alike where left out. */
  readonly gains?: readonly number[]
}

/** The step of a channel of mean gain. README.md has what others cost in bytes and in PSNR. */
export const LATENT_STEP = 0.4
/** The step of a world that does not say what its channels move: to be safe. */
const EVEN_STEP = 0.15

const KIND = 2
const HEADER = 6
/** Bits that a number of steps may have: latents are a few units large, and no step is below 2^-16. */
const MOST_BITS = 20

/** Packs a latent [T,C]. */
export function packLatent(
  latent: Float32Array,
  shape: LatentShape,
  step = shape.gains ? LATENT_STEP : EVEN_STEP,
): Uint8Array {
  const { tokens, channels } = shape
  const codes = stepCodes(shape, step)
  const coder = new RangeEncoder()
  const numbers = new Numbers()
  for (let c = 0; c < channels; c++) {
    const size = stepOf(codes[c]!)
    const odds = numbers.of(codes[c]!)
    for (let t = 0; t < tokens; t++) write(coder, odds, Math.round(latent[t * channels + c]! / size))
  }
  const coded = coder.finish()
  const out = new Uint8Array(HEADER + channels + coded.length)
  const view = new DataView(out.buffer)
  out[0] = KIND
  view.setUint16(2, tokens, true)
  view.setUint16(4, channels, true)
  out.set(codes, HEADER)
  out.set(coded, HEADER + channels)
  return out
}

/** The latent [T,C] of a payload. Throws `WireMalformedError` where it is not one of this shape. */
export function unpackLatent(payload: Uint8Array, { tokens, channels }: LatentShape): Float32Array {
  if (payload[0] !== KIND || payload.length < HEADER + channels) {
    throw malformed(`${payload.length} bytes of kind ${payload[0]} are no latent of ${tokens}x${channels}`)
  }
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength)
  if (view.getUint16(2, true) !== tokens || view.getUint16(4, true) !== channels) {
    throw malformed(`it is ${view.getUint16(2, true)}x${view.getUint16(4, true)}, not ${tokens}x${channels}`)
  }
  const latent = new Float32Array(tokens * channels)
  const coder = new RangeDecoder(payload.subarray(HEADER + channels))
  const numbers = new Numbers()
  for (let c = 0; c < channels; c++) {
    const code = payload[HEADER + c]!
    const odds = numbers.of(code)
    for (let t = 0; t < tokens; t++) latent[t * channels + c] = read(coder, odds) * stepOf(code)
  }
  return latent
}

function stepOf(code: number): number {
  return 2 ** ((code - 128) / 8)
}

function stepCodes({ channels, gains }: LatentShape, step: number): Uint8Array {
  const mean = gains ? gains.reduce((sum, gain) => sum + gain, 0) / gains.length : 1
  return Uint8Array.from({ length: channels }, (_, c) => {
    const code = 128 + 8 * Math.log2((step * mean) / (gains?.[c] ?? mean))
    return Math.min(255, Math.max(0, Math.round(code)))
  })
}

/** What is learnt of the numbers on the way. Channels of about the same step have much the same numbers. */
class Numbers {
  private readonly classes = new Map<number, NumberOdds>()

  of(code: number): NumberOdds {
    const key = code >> 2
    const odds = this.classes.get(key) ?? new NumberOdds()
    this.classes.set(key, odds)
    return odds
  }
}

class NumberOdds {
  /** Whether a number has more bits, by how many it has already. */
  readonly longer = Array.from({ length: MOST_BITS }, () => new Odds())
  /** The bit below the first, by the number's length. */
  readonly second = Array.from({ length: MOST_BITS + 1 }, () => new Odds())
}

function write(coder: RangeEncoder, odds: NumberOdds, number: number): void {
  const size = Math.min(2 ** MOST_BITS - 1, Math.abs(number))
  const length = size === 0 ? 0 : 32 - Math.clz32(size)
  for (let i = 0; i < length; i++) coder.bit(1, odds.longer[i]!)
  if (length < MOST_BITS) coder.bit(0, odds.longer[length]!)
  if (length === 0) return
  coder.bits(number < 0 ? 1 : 0, 1)
  if (length < 2) return
  coder.bit((size >>> (length - 2)) & 1, odds.second[length]!)
  coder.bits(size, length - 2)
}

function read(coder: RangeDecoder, odds: NumberOdds): number {
  let length = 0
  while (length < MOST_BITS && coder.bit(odds.longer[length]!) === 1) length++
  if (length === 0) return 0
  const sign = coder.bits(1) === 1 ? -1 : 1
  if (length === 1) return sign
  const second = coder.bit(odds.second[length]!)
  return sign * ((2 + second) * 2 ** (length - 2) + coder.bits(length - 2))
}

function malformed(what: string): WireMalformedError {
  return new WireMalformedError('frame', what)
}
