import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { normals } from '../engine/random'
import { float16 } from '../model/safetensors'
import { WireMalformedError } from './errors'
import { float16Bits } from './half'
import { latentBytes, packLatent, unpackLatent } from './latents'

const shape = { tokens: 60, channels: 32 }

function latent(seed = 1): Float32Array {
  const out = new Float32Array(shape.tokens * shape.channels)
  normals(seed, 0, 0, out)
  return out
}

describe('half precision', () => {
  test('every finite number comes back as itself', () => {
    const all = Array.from({ length: 0x7c00 }, (_, bits) => bits)
    const changed = all.filter(
      (bits) => float16Bits(float16(bits)) !== bits || float16Bits(-float16(bits)) !== (bits | 0x8000),
    )
    expect(changed).toEqual([])
  })

  test('others go to the nearest, and what is too large to the largest', () => {
    expect(float16(float16Bits(0.1))).toBeCloseTo(0.1, 4)
    expect(float16(float16Bits(1e9))).toBe(65504)
    expect(float16(float16Bits(-1e9))).toBe(-65504)
    expect(float16Bits(1 + 1 / 2048)).toBe(float16Bits(1))
    expect(float16Bits(1 + 3 / 2048)).toBe(float16Bits(1 + 2 / 1024))
  })
})

describe('packed latents', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])('are off by half a step at most, at %i bits', (bits) => {
    const before = latent()
    const payload = packLatent(before, shape, bits)
    expect(payload.length).toBe(latentBytes(shape, bits))
    const after = unpackLatent(payload, shape)
    for (let c = 0; c < shape.channels; c++) {
      const channel = before.filter((_, i) => i % shape.channels === c)
      const range = Math.max(...channel) - Math.min(...channel)
      const worst = Math.max(
        ...channel.map((value, token) => Math.abs(value - after[token * shape.channels + c]!)),
      )
      expect(worst).toBeLessThan((range / (2 ** bits - 1)) * 0.51 + 0.01)
    }
  })

  test('are 1,094 bytes at 60 tokens of 32 channels', () => {
    expect(packLatent(latent(), shape).length).toBe(1094)
  })

  test('a channel that does not vary survives', () => {
    const flat = new Float32Array(60 * 32).fill(0.5)
    expect(unpackLatent(packLatent(flat, shape), shape)).toEqual(flat)
  })

  test('what is packed twice is the same again', () => {
    const once = unpackLatent(packLatent(latent(), shape, 8), shape)
    const twice = unpackLatent(packLatent(once, shape, 8), shape)
    expect(Math.max(...once.map((value, i) => Math.abs(value - twice[i]!)))).toBeLessThan(0.02)
  })

  test('damaged ones are refused by name or read, and nothing else', () => {
    const good = packLatent(latent(), shape)
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 0, max: good.length + 2 }),
        (changes, length) => {
          const bytes = new Uint8Array(length)
          bytes.set(good.subarray(0, length))
          for (const [at, value] of changes) if (at < length) bytes[at] = value
          try {
            expect(unpackLatent(bytes, shape).every(Number.isFinite)).toBe(true)
          } catch (error) {
            expect(error).toBeInstanceOf(WireMalformedError)
          }
        },
      ),
      { numRuns: 2000 },
    )
  })

  test('another shape is refused', () => {
    const payload = packLatent(latent(), shape)
    expect(() => unpackLatent(payload, { tokens: 32, channels: 60 })).toThrow(WireMalformedError)
    expect(() => unpackLatent(payload, { tokens: 60, channels: 48 })).toThrow(/no latent of 60x48/)
  })
})
