/**
 * A latent as a payload: each channel is rounded to whole steps, the smaller the more the channel moves the picture, and the
 * steps' numbers are range coded.
 *
 *     u8 kind   u8 0   u16 tokens   u16 channels
 *     channels x u8 code of the step, 2^((code - 128) / 8)
 *     range coded, channel by channel, of each token's number of steps:
 *       its length in bits, by one question for each bit that it may have more; its sign; its bits below the first
 *
 * Kind 2 is of tokens in any order. Kind 3 is of a grid of cells, row by row, and behind it the telemetry in steps of 1/256:
 * a channel begins with a bit that says whether its numbers are those left of a prediction from the cells left, above and
 * above left (MED: M. Weinberger et al., "The LOCO-I Lossless Image Compression Algorithm", 2000), and the questions about a
 * cell depend on how large the numbers around it and in the two channels before were.
 *
 * The payload depends on one latent only, so a lost frame costs no other.
 */
import { WireMalformedError } from './errors'
import { Odds, RangeDecoder, RangeEncoder } from './range-coder'

/** What a latent's size is known by. */
export interface LatentShape {
  readonly tokens: number
  readonly channels: number
  /** Cells in a row, where the tokens before the telemetry are a grid whose neighbours are alike. */
  readonly columns?: number
  /** What the last tokens say. */
  readonly telemetry?: readonly unknown[]
  /** How far a unit of each channel moves the picture, in any unit; all alike where left out. */
  readonly gains?: readonly number[]
}

/** The step of a channel of mean gain. README.md has what others cost in bytes and in PSNR. */
export const LATENT_STEP = 0.4
/** The same for a grid: its channels are more, and less alike. */
export const GRID_STEP = 0.5
/** The step of a world that does not say what its channels move: to be safe. */
const EVEN_STEP = 0.15
/** Code of the step of telemetry, 2^-8 of its usual spread. */
const TELEMETRY_CODE = 64

const TOKENS = 2
const GRID = 3
const HEADER = 6
/** Bits that a number of steps may have: latents are a few units large, and no step is below 2^-16. */
const MOST_BITS = 20
/** What a number of steps in a grid may be, so that the rest of a prediction has no more bits. */
const MOST_STEPS = 2 ** 18

/** Packs a latent [T,C]. */
export function packLatent(latent: Float32Array, shape: LatentShape, step = usualStep(shape)): Uint8Array {
  const { tokens, channels, columns } = shape
  const codes = stepCodes(shape, step)
  const coder = new RangeEncoder()
  if (columns) {
    const steps = new Int32Array(latent.length)
    eachNumber(shape, codes, (at, i, size) => {
      steps[at] = Math.max(-MOST_STEPS, Math.min(MOST_STEPS, Math.round(latent[i]! / size)))
    })
    codeGrid(new Writing(coder), steps, columns, shape)
  } else {
    const numbers = new Numbers()
    for (let c = 0; c < channels; c++) {
      const size = stepOf(codes[c]!)
      const odds = numbers.of(codes[c]!)
      for (let t = 0; t < tokens; t++) write(coder, odds, Math.round(latent[t * channels + c]! / size))
    }
  }
  const coded = coder.finish()
  const out = new Uint8Array(HEADER + channels + coded.length)
  const view = new DataView(out.buffer)
  out[0] = columns ? GRID : TOKENS
  view.setUint16(2, tokens, true)
  view.setUint16(4, channels, true)
  out.set(codes, HEADER)
  out.set(coded, HEADER + channels)
  return out
}

/** The latent [T,C] of a payload. Throws `WireMalformedError` where it is not one of this shape. */
export function unpackLatent(payload: Uint8Array, shape: LatentShape): Float32Array {
  const { tokens, channels, columns } = shape
  const [kind] = payload
  if (kind !== (columns ? GRID : TOKENS) || payload.length < HEADER + channels) {
    throw malformed(`${payload.length} bytes of kind ${kind} are no latent of ${tokens}x${channels}`)
  }
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength)
  if (view.getUint16(2, true) !== tokens || view.getUint16(4, true) !== channels) {
    throw malformed(`it is ${view.getUint16(2, true)}x${view.getUint16(4, true)}, not ${tokens}x${channels}`)
  }
  const latent = new Float32Array(tokens * channels)
  const codes = payload.subarray(HEADER, HEADER + channels)
  const coder = new RangeDecoder(payload.subarray(HEADER + channels))
  if (columns) {
    const steps = new Int32Array(latent.length)
    codeGrid(new Reading(coder), steps, columns, shape)
    eachNumber(shape, codes, (at, i, size) => {
      latent[i] = steps[at]! * size
    })
    return latent
  }
  const numbers = new Numbers()
  for (let c = 0; c < channels; c++) {
    const odds = numbers.of(codes[c]!)
    for (let t = 0; t < tokens; t++) latent[t * channels + c] = read(coder, odds) * stepOf(codes[c]!)
  }
  return latent
}

function usualStep({ columns, gains }: LatentShape): number {
  if (!gains) return EVEN_STEP
  return columns ? GRID_STEP : LATENT_STEP
}

/** Tokens of a picture; the others are telemetry. */
function cellsOf({ tokens, channels, telemetry = [] }: LatentShape): number {
  return tokens - Math.ceil(telemetry.length / channels)
}

/** Visits the numbers of a latent in the order of a grid's payload: where it is there, where in the latent, its step. */
function eachNumber(
  shape: LatentShape,
  codes: Uint8Array,
  visit: (at: number, i: number, size: number) => void,
): void {
  const { tokens, channels } = shape
  const cells = cellsOf(shape)
  let at = 0
  for (let c = 0; c < channels; c++) {
    const size = stepOf(codes[c]!)
    for (let t = 0; t < cells; t++) visit(at++, t * channels + c, size)
  }
  for (let i = cells * channels; i < tokens * channels; i++) visit(at++, i, stepOf(TELEMETRY_CODE))
}

/** Passes numbers through a range coder, one way or the other. */
interface Passing {
  /** A bit that only the writing end works out. */
  flag(wanted: () => boolean): boolean
  /** The number that passed: `value` where it is written, and what was read otherwise. */
  number(odds: NumberOdds, value: number): number
}

class Writing implements Passing {
  constructor(private readonly coder: RangeEncoder) {}
  flag(wanted: () => boolean): boolean {
    const flag = wanted()
    this.coder.bits(flag ? 1 : 0, 1)
    return flag
  }
  number(odds: NumberOdds, value: number): number {
    write(this.coder, odds, value)
    return value
  }
}

class Reading implements Passing {
  constructor(private readonly coder: RangeDecoder) {}
  flag(): boolean {
    return this.coder.bits(1) === 1
  }
  number(odds: NumberOdds): number {
    return read(this.coder, odds)
  }
}

/** Numbers of steps [C,cells], then telemetry, through a coder: the same walk on both ends. */
function codeGrid(passing: Passing, steps: Int32Array, columns: number, shape: LatentShape): void {
  const cells = cellsOf(shape)
  const contexts = Array.from({ length: AROUND * BEFORE }, () => new NumberOdds())
  const none = new Int32Array(cells)
  // Sizes of what was left of the predictions, in this channel and the two before.
  let [sizes, before, beforeThat] = [none.slice(), none.slice(), none.slice()]
  for (let c = 0; c < shape.channels; c++) {
    const channel = steps.subarray(c * cells, (c + 1) * cells)
    const predicted = passing.flag(() => isSmooth(channel, columns))
    for (let i = 0; i < cells; i++) {
      const x = i % columns
      // Beyond the edges there is nothing.
      const west = x > 0 ? sizes[i - 1]! : 0
      const north = i >= columns ? sizes[i - columns]! : 0
      const northWest = x > 0 && i >= columns ? sizes[i - columns - 1]! : 0
      const northEast = x < columns - 1 && i >= columns ? sizes[i - columns + 1]! : 0
      const around = bitLength(2 * (west + north) + northWest + northEast)
      const earlier = bitLength(before[i]! + beforeThat[i]!)
      const context = Math.min(AROUND - 1, around) * BEFORE + Math.min(BEFORE - 1, earlier)
      const prediction = predicted ? predict(channel, i, columns) : 0
      const left = passing.number(contexts[context]!, channel[i]! - prediction)
      channel[i] = prediction + left
      sizes[i] = Math.abs(left)
    }
    ;[sizes, before, beforeThat] = [beforeThat, sizes, before]
  }
  const telemetry = new NumberOdds()
  for (let i = shape.channels * cells; i < steps.length; i++) steps[i] = passing.number(telemetry, steps[i]!)
}

/** Sizes of the numbers around a cell, and in the channels before, that are told apart. */
const AROUND = 7
const BEFORE = 4

/** The smaller, the larger or the plane through its neighbours left, above and above left. */
function predict(channel: Int32Array, i: number, columns: number): number {
  if (i < columns) return i > 0 ? channel[i - 1]! : 0
  const north = channel[i - columns]!
  if (i % columns === 0) return north
  const west = channel[i - 1]!
  const corner = channel[i - columns - 1]!
  const low = Math.min(west, north)
  const high = Math.max(west, north)
  if (corner >= high) return low
  return corner <= low ? high : west + north - corner
}

/** Whether less is left of the predictions than there is. */
function isSmooth(channel: Int32Array, columns: number): boolean {
  let more = 0
  for (let i = 0; i < channel.length; i++) {
    more += bitLength(channel[i]!) - bitLength(channel[i]! - predict(channel, i, columns))
  }
  return more > 0
}

function bitLength(value: number): number {
  return 32 - Math.clz32(Math.abs(value))
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
  const length = bitLength(size)
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
