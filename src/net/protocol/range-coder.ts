/**
 * A binary range coder with counted probabilities (the coder is LZMA's: I. Pavlov, LZMA specification). All state is whole
 * numbers, so both ends agree to the bit whatever they run on.
 */

/** How often a yes-or-no question was answered with 0 and with 1, so far in this message. */
export class Odds {
  private zeros = 0
  private ones = 0

  /** Probability of 0, in 4096ths (Krichevsky-Trofimov). */
  get ofZero(): number {
    const { zeros, ones } = this
    const share = Math.floor(((2 * zeros + 1) * 4096) / (2 * (zeros + ones) + 2))
    return Math.min(4064, Math.max(32, share))
  }

  count(bit: number): void {
    if (bit) this.ones++
    else this.zeros++
    if (this.zeros + this.ones < 250) return
    this.zeros >>= 1
    this.ones >>= 1
  }
}

const TOP = 2 ** 24
const FULL = 2 ** 32

export class RangeEncoder {
  private readonly out: number[] = []
  private low = 0
  private range = FULL - 1
  /** The last byte that is known but for a carry, and how many bytes of 255 follow it. */
  private cache = 0
  private pending = 0
  private begun = false

  bit(bit: number, odds: Odds): void {
    this.narrow((this.range >>> 12) * odds.ofZero, bit)
    odds.count(bit)
  }

  /** The lowest `count` bits of a number whose values are all as likely, the highest first. */
  bits(value: number, count: number): void {
    for (let i = count - 1; i >= 0; i--) this.narrow(this.range >>> 1, (value >>> i) & 1)
  }

  /** All bytes. Zeros at the end are left out: a decoder reads them beyond the end. */
  finish(): Uint8Array {
    for (let i = 0; i < 5; i++) this.shift()
    let { length } = this.out
    while (length > 0 && this.out[length - 1] === 0) length--
    return Uint8Array.from(this.out.slice(0, length))
  }

  private narrow(bound: number, bit: number): void {
    if (bit) {
      this.low += bound
      this.range -= bound
    } else this.range = bound
    while (this.range < TOP) {
      this.range *= 256
      this.shift()
    }
  }

  private shift(): void {
    const carry = this.low >= FULL ? 1 : 0
    if (carry || this.low < 0xff000000) {
      // The first byte is always 0 and not sent.
      if (this.begun) this.out.push((this.cache + carry) & 0xff)
      this.begun = true
      for (; this.pending > 0; this.pending--) this.out.push((0xff + carry) & 0xff)
      this.cache = Math.floor(this.low / TOP) & 0xff
    } else this.pending++
    this.low = (this.low % TOP) * 256
  }
}

/** Reads what a `RangeEncoder` wrote. Of any other bytes it makes something, and never fails. */
export class RangeDecoder {
  private code = 0
  private range = FULL - 1
  private at = 0

  constructor(private readonly bytes: Uint8Array) {
    for (let i = 0; i < 4; i++) this.code = this.code * 256 + this.next()
  }

  bit(odds: Odds): number {
    const bit = this.split((this.range >>> 12) * odds.ofZero)
    odds.count(bit)
    return bit
  }

  bits(count: number): number {
    let value = 0
    for (let i = 0; i < count; i++) value = value * 2 + this.split(this.range >>> 1)
    return value
  }

  private split(bound: number): number {
    const bit = this.code < bound ? 0 : 1
    if (bit) {
      this.code -= bound
      this.range -= bound
    } else this.range = bound
    while (this.range < TOP) {
      this.range *= 256
      this.code = (this.code * 256 + this.next()) % FULL
    }
    return bit
  }

  private next(): number {
    return this.bytes[this.at++] ?? 0
  }
}
