import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BadInputError } from './errors'
import { normals, philox, Rng, seedKey, uniforms } from './random'
import golden from './random.golden.json'

type Words4 = [number, number, number, number]

describe('philox', () => {
  // kat_vectors of Random123 1.14: "philox4x32 10".
  test.each([
    [[0, 0, 0, 0], [0, 0], '6627e8d5 e169c58d bc57ac4c 9b00dbd8'],
    [
      [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      '408f276d 41c83b0e a20bc7c6 6d5451fd',
    ],
    [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      'd16cfe09 94fdcceb 5001e420 24126ea1',
    ],
  ] as [Words4, [number, number], string][])('answers Random123: counter %j', (counter, key, words) => {
    const hex = Array.from(philox(key, counter), (word) => word.toString(16).padStart(8, '0'))
    expect(hex.join(' ')).toBe(words)
  })

  test('multiplies as BigInt does, for any words', () => {
    const word = fc.integer({ min: 0, max: 0xffffffff })
    const reference = (key: [number, number], counter: Words4): number[] => {
      let [k0, k1] = key.map(BigInt) as [bigint, bigint]
      let [c0, c1, c2, c3] = counter.map(BigInt) as [bigint, bigint, bigint, bigint]
      const mask = 0xffffffffn
      for (let round = 0; round < 10; round++) {
        const p0 = 0xd2511f53n * c0
        const p1 = 0xcd9e8d57n * c2
        ;[c0, c1, c2, c3] = [(p1 >> 32n) ^ c1 ^ k0, p1 & mask, (p0 >> 32n) ^ c3 ^ k1, p0 & mask]
        k0 = (k0 + 0x9e3779b9n) & mask
        k1 = (k1 + 0xbb67ae85n) & mask
      }
      return [c0, c1, c2, c3].map(Number)
    }
    fc.assert(
      fc.property(fc.tuple(word, word), fc.tuple(word, word, word, word), (key, counter) => {
        expect(Array.from(philox(key, counter))).toEqual(reference(key, counter))
      }),
    )
  })
})

test('normals from a number on are those of the whole stream', () => {
  const whole = new Float32Array(50)
  normals(7, 3, 1, whole)
  for (const [first, count] of [
    [0, 3],
    [3, 2],
    [4, 46],
    [7, 9],
    [20, 1],
    [49, 1],
  ] as const) {
    const part = new Float32Array(count)
    normals(7, 3, 1, part, first)
    expect(part).toEqual(whole.slice(first, first + count))
  }
})

describe('golden vectors shared with Python', () => {
  test.each(golden.philox)('philox $key $counter', ({ key, counter, words }) => {
    expect(Array.from(philox(key as [number, number], counter as Words4))).toEqual(words)
  })

  test.each(golden.uniforms)('uniforms of seed $seed, tick $tick, stream $stream', (row) => {
    const out = new Float32Array(row.values.length)
    uniforms(row.seed, row.tick, row.stream, out)
    expect(Array.from(out)).toEqual(row.values)
  })

  test.each(golden.normals)('normals of seed $seed, tick $tick, stream $stream', (row) => {
    const out = new Float32Array(row.values.length)
    normals(row.seed, row.tick, row.stream, out)
    expect(Array.from(out)).toEqual(row.values)
  })
})

test('many normals of seed 7 are those of Python, to the bit', () => {
  const many = new Float32Array(0x1_0000)
  normals(7, 1, 0, many)
  expect(createHash('sha256').update(many).digest('hex')).toBe(golden.normalsDigest)
})

describe('normals', () => {
  test('have the moments of a standard normal', () => {
    const out = new Float32Array(200_000)
    normals(7, 3, 0, out)
    const mean = out.reduce((sum, x) => sum + x, 0) / out.length
    const moment = (power: number) => out.reduce((sum, x) => sum + x ** power, 0) / out.length
    // Five standard errors of each moment.
    expect(Math.abs(mean)).toBeLessThan(5 / Math.sqrt(out.length))
    expect(Math.abs(moment(2) - 1)).toBeLessThan(5 * Math.sqrt(2 / out.length))
    expect(Math.abs(moment(4) - 3)).toBeLessThan(5 * Math.sqrt(96 / out.length))
  })

  test('of any length begin alike, and differ between seeds, ticks and streams', () => {
    fc.assert(
      fc.property(
        fc.nat(Number.MAX_SAFE_INTEGER),
        fc.nat(0xfffffffe),
        fc.nat(0xfffffffe),
        fc.nat(40),
        (seed, tick, stream, length) => {
          const draw = (...at: [number, number, number]) => {
            const out = new Float32Array(41)
            normals(...at, out)
            return out
          }
          const whole = draw(seed, tick, stream)
          const part = new Float32Array(length)
          normals(seed, tick, stream, part)
          expect(part).toEqual(whole.slice(0, length))
          expect(draw(seed, tick + 1, stream)).not.toEqual(whole)
          expect(draw(seed, tick, stream + 1)).not.toEqual(whole)
          expect(draw(seed === 0 ? 1 : seed - 1, tick, stream)).not.toEqual(whole)
        },
      ),
    )
  })
})

describe('refusals', () => {
  test.each([-1, 0.5, Number.NaN, 2 ** 53])('seed %d', (seed) => {
    expect(() => seedKey(seed)).toThrow(BadInputError)
    expect(() => new Rng(seed)).toThrow(BadInputError)
  })

  test.each([-1, 0.5, 2 ** 32])('tick or stream %d', (word) => {
    expect(() => normals(1, word, 0, new Float32Array(1))).toThrow(/tick/)
    expect(() => uniforms(1, 0, word, new Float32Array(1))).toThrow(/stream/)
  })

  test('an empty choice', () => {
    expect(() => new Rng(1).pick([])).toThrow(BadInputError)
    expect(() => new Rng(1).int(3, 3)).toThrow(BadInputError)
  })
})

describe('Rng', () => {
  test('draws the same words as uniforms', () => {
    const out = new Float32Array(9)
    uniforms(42, 5, 17, out)
    const rng = new Rng(42, 17, 5)
    expect(Array.from(out, () => rng.uniform())).toEqual(Array.from(out))
  })

  test('continues from a kept position', () => {
    fc.assert(
      fc.property(fc.nat(1000), (position) => {
        const rng = new Rng(9)
        rng.position = position
        const first = [rng.uint32(), rng.uint32()]
        rng.position = position
        expect([rng.uint32(), rng.uint32()]).toEqual(first)
      }),
    )
  })

  test('int stays in range and reaches every value', () => {
    const rng = new Rng(3)
    const counts = new Array<number>(7).fill(0)
    for (let i = 0; i < 7000; i++) counts[rng.int(-3, 4) + 3]!++
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(150)
  })

  test('chance and normal follow their distribution', () => {
    const rng = new Rng(4)
    let hits = 0
    let sum = 0
    for (let i = 0; i < 10_000; i++) {
      if (rng.chance(0.3)) hits++
      sum += rng.normal()
    }
    expect(Math.abs(hits - 3000)).toBeLessThan(230)
    expect(Math.abs(sum / 10_000)).toBeLessThan(0.05)
  })
})
