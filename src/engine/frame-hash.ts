import type { Pixels } from './world'

const rotate = (x: number, by: number) => (x << by) | (x >>> (32 - by))

function finish(x: number): number {
  x ^= x >>> 16
  x = Math.imul(x, 0x85ebca6b)
  x ^= x >>> 13
  x = Math.imul(x, 0xc2b2ae35)
  return (x ^ (x >>> 16)) >>> 0
}

/**
 * Hash of bytes as 16 hex digits: two 32-bit MurmurHash3 lanes over little-endian words (every platform that runs
 * WebAssembly is little-endian). Both lanes are bijective in every word, so one changed word always changes the hash.
 * It tells frames apart; it does not resist an adversary.
 */
export function hashBytes(bytes: Uint8Array | Uint8ClampedArray, seed = 0): string {
  const wordCount = bytes.length >>> 2
  const source = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice()
  const words = new Uint32Array(source.buffer, source.byteOffset, wordCount)
  let a = seed ^ 0x9747b28c
  let b = seed ^ 0x2f1b3c5d
  for (let i = 0; i < wordCount; i++) {
    const word = words[i]!
    a ^= Math.imul(rotate(Math.imul(word, 0xcc9e2d51), 15), 0x1b873593)
    a = (Math.imul(rotate(a, 13), 5) + 0xe6546b64) | 0
    b ^= Math.imul(rotate(Math.imul(word, 0x239b961b), 16), 0xab0e9789)
    b = (Math.imul(rotate(b, 17), 5) + 0x561ccd1b) | 0
  }
  for (let i = wordCount * 4; i < bytes.length; i++) {
    a = Math.imul(a ^ bytes[i]!, 0x01000193)
    b = Math.imul(b ^ bytes[i]!, 0x01000193)
  }
  const hex = (x: number) => x.toString(16).padStart(8, '0')
  return hex(finish(a ^ bytes.length)) + hex(finish(b ^ bytes.length))
}

/** Hash of a frame as 16 hex digits; the same bytes in another shape hash differently. */
export function hashPixels(pixels: Pixels): string {
  return hashBytes(pixels.data, Math.imul(pixels.width, 0x10001) ^ pixels.height)
}
