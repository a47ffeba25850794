import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { holdsFew, MOST_ITEMS } from './msgpack-limits'
import { pack, unpack } from './pack'
import { clientMessages, hex, serverMessages } from './testing'

const bodies = fc
  .oneof(clientMessages, serverMessages)
  .filter((message) => 'body' in message)
  .map((message) => pack('body' in message ? message.body : null))

describe('a body holds few values', () => {
  it('whatever either end says', () => {
    fc.assert(
      fc.property(bodies, (body) => {
        expect(holdsFew(body)).toBe(true)
      }),
      { numRuns: 1000 },
    )
  })

  it.each([
    ['nothing', 'c0'],
    ['true', 'c3'],
    ['small numbers', '93 7f e0 ff'],
    ['unsigned numbers', '94 cc ff  cd 01 02  ce 01 02 03 04  cf 01 02 03 04 05 06 07 08'],
    ['signed numbers', '94 d0 ff  d1 01 02  d2 01 02 03 04  d3 01 02 03 04 05 06 07 08'],
    ['floats', '92 ca 01 02 03 04  cb 01 02 03 04 05 06 07 08'],
    ['texts, whatever is in them', '94 a2 df df  d9 01 df  da 00 01 df  db 00 00 00 01 df'],
    ['bytes, too', '93 c4 01 df  c5 00 01 df  c6 00 00 00 01 df'],
    ['typed arrays', '93 c7 02 74 01 df  c8 00 02 74 01 df  c9 00 00 00 02 74 01 df'],
    ['a typed array of one byte', 'd5 74 01 df'],
    ['an undefined', 'd4 00 00'],
    ['lists in maps', '81 a1 78  92 01 dc 00 01 dd 00 00 00 01 c0'],
    ['maps in maps', 'de 00 01 a1 78  df 00 00 00 01 a1 79 80'],
  ])('%s', (_what, bytes) => {
    expect(holdsFew(hex(bytes))).toBe(true)
    expect(() => unpack(hex(bytes))).not.toThrow()
  })
})

describe('a body holds too many', () => {
  const list = (length: number) => Uint8Array.of(0xdc, length >> 8, length & 0xff, ...Array(length).fill(1))

  it('elements, itself among them', () => {
    expect(holdsFew(list(MOST_ITEMS - 1))).toBe(true)
    expect(holdsFew(list(MOST_ITEMS))).toBe(false)
  })

  it('keys and values', () => {
    const map = (length: number) => pack(Object.fromEntries(Array.from({ length }, (_, i) => [`k${i}`, i])))
    expect(holdsFew(map(127))).toBe(true)
    expect(holdsFew(map(128))).toBe(false)
  })

  it.each([
    ['elements that it only promises', 'dd ff ff ff ff'],
    ['keys that it only promises', 'df ff ff ff ff'],
  ])('%s', (_what, bytes) => expect(holdsFew(hex(bytes))).toBe(false))

  it('a million deep, without a stack of its own', () => {
    expect(holdsFew(new Uint8Array(1_000_000).fill(0x91))).toBe(false)
  })
})

describe('what is no body of ours is refused', () => {
  it.each([
    ['nothing at all', ''],
    ['a byte that begins no value', 'c1'],
    ['a text cut short', 'a4 73'],
    ['a length cut short', 'db 00 00'],
    ['a list cut short', '92 01'],
    // The unpacker would write the first value out as JSON, to say what it has read.
    ['a byte behind the end', '01 01'],
    ['a set, whose values nobody would have counted', 'd4 73 00 92 01 02'],
    ['a record, which would become code', 'd4 72 40 91 a1 78 01'],
    ['a pattern', 'c7 00 78 92 a1 78 a0'],
    ['a whole number of any length', 'c7 01 42 01'],
  ])('%s', (_what, bytes) => expect(() => holdsFew(hex(bytes))).toThrow())
})

test('what passes is read to its last byte, and no further', () => {
  const flips = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), { maxLength: 3 })
  fc.assert(
    fc.property(bodies, flips, (body, flips) => {
      const mutated = Uint8Array.from(body)
      for (const [at, mask] of flips) mutated[at % mutated.length]! ^= mask
      expect(unreadAfterPassing(mutated)).toBeNull()
    }),
    { numRuns: 5000 },
  )
})

/** What the unpacker says of the end of a body that had passed, where it says anything. */
function unreadAfterPassing(bytes: Uint8Array): unknown {
  try {
    if (!holdsFew(bytes)) return null
  } catch {
    return null
  }
  try {
    unpack(bytes)
    return null
  } catch (error) {
    return /end of (buffer|MessagePack)/.test((error as Error).message) ? error : null
  }
}
