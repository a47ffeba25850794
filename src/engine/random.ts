/**
 * The one source of chance: Philox4x32-10 (Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011).
 *
 * Counter-based, so the numbers of any tick are reached directly: nothing is carried from tick to tick, a snapshot
 * needs no generator state, and a server can draw many sessions' noise in any order. `distill/random.py` is its twin;
 * both are tested against `random.golden.json`.
 *
 * key = (seed low 32 bits, seed high 32 bits); counter = (block, tick, stream, 0). A block of four words is four uniforms or
 * eight normals.
 */
import { BadInputError } from './errors'

/** Streams 0..15 belong to the student's noise; simulators and policies take 16 and up. */
export const FIRST_FREE_STREAM = 16

const MULTIPLIER_0 = 0xd2511f53
const MULTIPLIER_1 = 0xcd9e8d57
const WEYL_0 = 0x9e3779b9
const WEYL_1 = 0xbb67ae85
const ROUNDS = 10
const TWO_PI = 2 * Math.PI

/** High 32 bits of an unsigned 32x32-bit product. Integers below 2^32 all along: no rounding, and no division. */
function mulHigh(a: number, b: number): number {
  const aLow = a & 0xffff
  const aHigh = a >>> 16
  const bLow = b & 0xffff
  const bHigh = b >>> 16
  const low = Math.imul(aLow, bLow) >>> 0
  const cross = (Math.imul(aHigh, bLow) >>> 0) + (low >>> 16)
  const middle = (Math.imul(aLow, bHigh) >>> 0) + (cross & 0xffff)
  return (Math.imul(aHigh, bHigh) + (cross >>> 16) + (middle >>> 16)) >>> 0
}

/** One block: 4 counter words under 2 key words give 4 words in `out`. Allocates nothing. */
function philoxInto(
  out: Uint32Array,
  key0: number,
  key1: number,
  c0: number,
  c1: number,
  c2: number,
  c3: number,
): void {
  for (let round = 0; round < ROUNDS; round++) {
    const high0 = mulHigh(MULTIPLIER_0, c0)
    const low0 = Math.imul(MULTIPLIER_0, c0)
    const high1 = mulHigh(MULTIPLIER_1, c2)
    const low1 = Math.imul(MULTIPLIER_1, c2)
    c0 = (high1 ^ c1 ^ key0) >>> 0
    c1 = low1 >>> 0
    c2 = (high0 ^ c3 ^ key1) >>> 0
    c3 = low0 >>> 0
    key0 = (key0 + WEYL_0) >>> 0
    key1 = (key1 + WEYL_1) >>> 0
  }
  out[0] = c0
  out[1] = c1
  out[2] = c2
  out[3] = c3
}

/** Philox4x32-10 itself: 4 uint32 words from 2 key words and 4 counter words. */
export function philox(
  key: readonly [number, number],
  counter: readonly [number, number, number, number],
): Uint32Array {
  const out = new Uint32Array(4)
  philoxInto(out, key[0], key[1], counter[0], counter[1], counter[2], counter[3])
  return out
}

/** The two key words of a seed. Throws `BadInputError` unless it is a non-negative safe integer. */
export function seedKey(seed: number): readonly [number, number] {
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new BadInputError(`A seed is an integer from 0 to 2^53 - 1, but ${seed} came. Choose another seed.`)
  }
  return [seed >>> 0, Math.floor(seed / 0x1_0000_0000)]
}

function checkWord(name: string, value: number): void {
  if (!Number.isInteger(value) || value < 0 || value > 0xffff_ffff) {
    throw new BadInputError(`A ${name} is an integer from 0 to 2^32 - 1, but ${value} came.`)
  }
}

const block = new Uint32Array(4)

/** Fills `out` with uniforms in [0, 1), 24 bits each. */
export function uniforms(seed: number, tick: number, stream: number, out: Float32Array): void {
  const [key0, key1] = seedKey(seed)
  checkWord('tick', tick)
  checkWord('stream', stream)
  for (let i = 0; i < out.length; i++) {
    if ((i & 3) === 0) philoxInto(block, key0, key1, i >>> 2, tick, stream, 0)
    out[i] = (block[i & 3]! >>> 8) * 2 ** -24
  }
}

/** Normals of one block, 16 bits each. */
const NORMALS = 8

/**
 * Fills `out` with standard normals, those of a stream from number `first` on. Each is the quantile of 16 bits, looked up:
 * four times as fast as Box-Muller, and the same to the bit in every engine, whose logarithms and cosines are not.
 */
export function normals(seed: number, tick: number, stream: number, out: Float32Array, first = 0): void {
  const [key0, key1] = seedKey(seed)
  checkWord('tick', tick)
  checkWord('stream', stream)
  quantiles ??= Float32Array.from({ length: 0x1_0000 }, (_, i) => quantile((i + 0.5) / 0x1_0000))
  const ahead = first % NORMALS
  for (let i = -ahead; i < out.length; i += NORMALS) {
    philoxInto(block, key0, key1, (first + i) / NORMALS, tick, stream, 0)
    // What lies before the first and past the end of a typed array is not written.
    for (let word = 0, at = i; word < 4; word++, at += 2) {
      const bits = block[word]!
      out[at] = quantiles[bits & 0xffff]!
      out[at + 1] = quantiles[bits >>> 16]!
    }
  }
}

let quantiles: Float32Array | null = null

/** The number below which a standard normal falls with probability `p`: Wichura's PPND16 (AS 241, 1988), exact to 1e-16. */
function quantile(p: number): number {
  const q = p - 0.5
  if (Math.abs(q) <= 0.425) return q * ratio(CENTRE, 0.180625 - q * q)
  // Its third piece, for less than one in e^25, is never needed here.
  return Math.sign(q) * ratio(TAIL, Math.sqrt(-Math.log(Math.min(p, 1 - p))) - 1.6)
}

/** A polynomial over another, their coefficients from the highest power down. */
function ratio([above, below]: readonly (readonly number[])[], x: number): number {
  const value = (sum: number, coefficient: number) => sum * x + coefficient
  return above!.reduce(value, 0) / below!.reduce(value, 0)
}

const CENTRE = [
  [
    2509.0809287301227, 33430.57558358813, 67265.7709270087, 45921.95393154987, 13731.69376550946,
    1971.5909503065513, 133.14166789178438, 3.3871328727963665,
  ],
  [
    5226.495278852854, 28729.085735721943, 39307.89580009271, 21213.794301586597, 5394.196021424751,
    687.1870074920579, 42.31333070160091, 1,
  ],
]
const TAIL = [
  [
    0.0007745450142783414, 0.022723844989269184, 0.2417807251774506, 1.2704582524523684, 3.6478483247632045,
    5.769497221460691, 4.630337846156546, 1.4234371107496835,
  ],
  [
    1.0507500716444169e-9, 0.0005475938084995345, 0.015198666563616457, 0.14810397642748008, 0.6897673349851,
    1.6763848301838038, 2.053191626637759, 1,
  ],
]

/**
 * Draws one after the other, for simulators and policies. Its whole state is `position`, the number of words drawn.
 *
 * @example
 * const rng = new Rng(seed, 16)
 * const curve = rng.pick(['left', 'right'])
 */
export class Rng {
  /** Words drawn so far; set it to go back or on. */
  position = 0
  private readonly key: readonly [number, number]
  private readonly words = new Uint32Array(4)
  private blockIndex = -1

  /** `stream` and `tick` set apart generators of one seed. */
  constructor(
    seed: number,
    private readonly stream: number = FIRST_FREE_STREAM,
    private readonly tick: number = 0,
  ) {
    this.key = seedKey(seed)
    checkWord('stream', stream)
    checkWord('tick', tick)
  }

  /** The next 32 random bits as an unsigned integer. */
  uint32(): number {
    const index = Math.floor(this.position / 4)
    if (index !== this.blockIndex) {
      philoxInto(this.words, this.key[0], this.key[1], index, this.tick, this.stream, 0)
      this.blockIndex = index
    }
    return this.words[this.position++ % 4]!
  }

  /** Uniform in [low, high), from 24 bits. */
  uniform(low = 0, high = 1): number {
    return low + (high - low) * ((this.uint32() >>> 8) * 2 ** -24)
  }

  /** Integer in [low, high), every value equally likely. Throws `BadInputError` on an empty range. */
  int(low: number, high: number): number {
    const span = high - low
    if (!Number.isInteger(low) || !Number.isInteger(span) || span < 1 || span > 0x1_0000_0000) {
      throw new BadInputError(
        `int(low, high) needs whole low < high at most 2^32 apart, but ${low}, ${high} came.`,
      )
    }
    const limit = 0x1_0000_0000 - (0x1_0000_0000 % span)
    let word = this.uint32()
    while (word >= limit) word = this.uint32()
    return low + (word % span)
  }

  /** True with the given probability. */
  chance(probability: number): boolean {
    return this.uniform() < probability
  }

  /** One standard normal; draws two words. */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log((this.uint32() + 0.5) / 0x1_0000_0000))
    return radius * Math.cos(TWO_PI * (this.uint32() / 0x1_0000_0000))
  }

  /** One item, every item equally likely. Throws `BadInputError` on an empty list. */
  pick<Item>(items: readonly Item[]): Item {
    return items[this.int(0, items.length)]!
  }
}
