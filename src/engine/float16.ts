/** IEEE 754 binary16 as bits in whole numbers; nothing here needs a runtime that has `Float16Array`. */

const float = new Float32Array(1)
const bits = new Uint32Array(float.buffer)

/** The nearest binary16 of a number, ties to even; what is too large becomes the largest finite number of its sign. */
export function float16Bits(value: number): number {
  float[0] = value
  const whole = bits[0]!
  const sign = (whole >>> 16) & 0x8000
  const size = whole & 0x7fff_ffff
  if (size > 0x7f80_0000) return 0x7e00
  // From 65520 on the next number up would be infinite.
  if (size >= 0x477f_f000) return sign | 0x7bff
  if (size < 0x3880_0000) {
    // Below 2^-14 numbers are whole steps of 2^-24, as those of float32 are from 0.5 on.
    bits[0] = size
    float[0]! += 0.5
    return sign | (bits[0]! - 0x3f00_0000)
  }
  return sign | rounded(size)
}

/** Whether a float32, as bits without a sign, is neither too small for a normal binary16 nor too large for any. */
function isUsual(size: number): boolean {
  return size >= 0x3880_0000 && size < 0x477f_f000
}

/** The binary16 nearest to a float32 of usual size, both as bits without a sign. */
function rounded(size: number): number {
  return (size - 0x3800_0000 + 0xfff + ((size >>> 13) & 1)) >>> 13
}

/** The number that 16 bits of binary16 stand for. */
export function float16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 0x1f
  const fraction = bits & 0x3ff
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}

/** Every binary16 as a float32, made at the first use: 256 kB. */
let table: Float32Array | null = null

/** Rounds numbers to binary16 bits, into `out` from `at` on. */
export function packFloat16(numbers: Float32Array, out: Uint16Array, at = 0): void {
  const wholes = new Uint32Array(numbers.buffer, numbers.byteOffset, numbers.length)
  for (let i = 0; i < wholes.length; i++) {
    const whole = wholes[i]!
    const size = whole & 0x7fff_ffff
    out[at + i] = isUsual(size) ? ((whole >>> 16) & 0x8000) | rounded(size) : float16Bits(numbers[i]!)
  }
}

/** Rounds numbers to binary16 and leaves them floats, in `out` from `at` on. */
export function roundToFloat16(numbers: Float32Array, out: Float32Array, at = 0): void {
  const wholes = new Uint32Array(numbers.buffer, numbers.byteOffset, numbers.length)
  const rounds = new Uint32Array(out.buffer, out.byteOffset + 4 * at, numbers.length)
  for (let i = 0; i < wholes.length; i++) {
    const whole = wholes[i]!
    if (isUsual(whole & 0x7fff_ffff)) rounds[i] = (whole + 0xfff + ((whole >>> 13) & 1)) & ~0x1fff
    else out[at + i] = float16(float16Bits(numbers[i]!))
  }
}

/** The numbers of binary16 bits, into `out` from `at` on. */
export function unpackFloat16(halves: Uint16Array, out: Float32Array, at = 0): void {
  table ??= Float32Array.from({ length: 0x1_0000 }, (_, i) => float16(i))
  for (let i = 0; i < halves.length; i++) out[at + i] = table[halves[i]!]!
}
