import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { float16, float16Bits, packFloat16, roundToFloat16, unpackFloat16 } from './float16'

describe('half precision', () => {
  test('every finite number comes back as itself', () => {
    const all = Array.from({ length: 0x7c00 }, (_, bits) => bits)
    const changed = all.filter(
      (bits) => float16Bits(float16(bits)) !== bits || float16Bits(-float16(bits)) !== (bits | 0x8000),
    )
    expect(changed).toEqual([])
  })

  test('half-way between two neighbours it is the even one, and beside that the nearer', () => {
    const wrong: number[] = []
    for (let bits = 0; bits < 0x7bff; bits++) {
      const middle = (float16(bits) + float16(bits + 1)) / 2
      const float = new Float32Array([middle])
      const next = new Uint32Array(float.buffer)
      const even = bits % 2 === 0 ? bits : bits + 1
      if (float16Bits(middle) !== even) wrong.push(bits)
      next[0]!++
      if (float16Bits(float[0]!) !== bits + 1) wrong.push(bits)
      next[0]! -= 2
      if (float16Bits(float[0]!) !== bits) wrong.push(bits)
    }
    expect(wrong).toEqual([])
  })

  test('what is too large becomes the largest, and no number stays none', () => {
    expect([65519, 65520, 1e9, Number.POSITIVE_INFINITY].map(float16Bits)).toEqual(Array(4).fill(0x7bff))
    expect(float16(float16Bits(-1e9))).toBe(-65504)
    expect(float16(float16Bits(Number.NaN))).toBeNaN()
  })

  test('whole arrays go there and back, to where they are asked', () => {
    fc.assert(
      fc.property(fc.array(fc.float({ noNaN: true, min: -100, max: 100 }), { maxLength: 40 }), (numbers) => {
        const halves = new Uint16Array(numbers.length + 3)
        packFloat16(Float32Array.from(numbers), halves, 2)
        expect([...halves.subarray(2, -1)]).toEqual(numbers.map(float16Bits))
        const floats = new Float32Array(numbers.length + 1)
        unpackFloat16(halves.subarray(2, -1), floats, 1)
        const rounded = new Float32Array(numbers.length + 1)
        roundToFloat16(Float32Array.from(numbers), rounded, 1)
        expect([...floats.subarray(1)]).toEqual(numbers.map((number) => float16(float16Bits(number))))
        expect(rounded).toEqual(floats)
      }),
    )
  })

  test('numbers at the ends of what a half holds are rounded alike, as bits and as floats', () => {
    const ends = Float32Array.of(
      0,
      -0,
      2 ** -25,
      -(2 ** -24),
      6.1e-5,
      6.104e-5,
      65519,
      65520,
      -1e9,
      Number.NaN,
    )
    const rounded = new Float32Array(ends.length)
    roundToFloat16(ends, rounded)
    const halves = new Uint16Array(ends.length)
    packFloat16(ends, halves)
    const unpacked = new Float32Array(ends.length)
    unpackFloat16(halves, unpacked)
    expect(rounded).toEqual(unpacked)
  })
})
