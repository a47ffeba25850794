import fc from 'fast-check'
import { expect, test } from 'vitest'
import { hashBytes, hashPixels } from './frame-hash'

test('known bytes have known hashes, so that logs stay comparable', () => {
  expect(hashBytes(new Uint8Array(0))).toMatchInlineSnapshot(`"ebb6c228f2736e73"`)
  expect(hashBytes(Uint8Array.of(1, 2, 3, 4, 5, 6, 7))).toMatchInlineSnapshot(`"4229ff9718c0eca5"`)
  expect(hashBytes(new Uint8Array(61_440).fill(128))).toMatchInlineSnapshot(`"e62efb3e655b9e93"`)
})

test('one changed byte always changes the hash', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 300 }),
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      (bytes, at, by) => {
        const changed = bytes.slice()
        changed[at % bytes.length]! ^= by
        expect(hashBytes(changed)).not.toBe(hashBytes(bytes))
      },
    ),
  )
})

test('the hash depends on the bytes and not on where they lie in memory', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(7), (bytes, offset) => {
      const around = new Uint8Array(bytes.length + 8)
      around.set(bytes, offset)
      expect(hashBytes(around.subarray(offset, offset + bytes.length))).toBe(hashBytes(bytes))
      expect(hashBytes(bytes)).toMatch(/^[0-9a-f]{16}$/)
    }),
  )
})

test('trailing zeros and the shape of a frame count', () => {
  expect(hashBytes(new Uint8Array(4))).not.toBe(hashBytes(new Uint8Array(8)))
  const data = new Uint8ClampedArray(32)
  expect(hashPixels({ width: 4, height: 2, data })).not.toBe(hashPixels({ width: 2, height: 4, data }))
})

test('random frames do not collide', () => {
  const seen = new Set<string>()
  const frame = new Uint8Array(64)
  const words = new Uint32Array(frame.buffer)
  for (let i = 0; i < 20_000; i++) {
    words[i % 16]! = i
    seen.add(hashBytes(frame))
  }
  expect(seen.size).toBe(20_000)
})
