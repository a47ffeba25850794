import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { normals } from '../../engine/random'
import { WireMalformedError } from './errors'
import { packLatent, unpackLatent } from './latents'

const shape = { tokens: 60, channels: 32 }

function latent(seed = 1): Float32Array {
  const out = new Float32Array(shape.tokens * shape.channels)
  normals(seed, 0, 0, out)
  return out
}

const gains = Array.from({ length: shape.channels }, (_, c) => 8 / (1 + c))

describe('packed latents', () => {
  it.each([0.05, 0.3, 1, 3])('are off by half a step at most, at a step of %f', (step) => {
    const before = latent()
    const after = unpackLatent(packLatent(before, shape, step), shape)
    const worst = Math.max(...before.map((value, i) => Math.abs(value - after[i]!)))
    expect(worst).toBeLessThan(0.5 * step * 2 ** (1 / 16) + 1e-6)
    expect(worst).toBeGreaterThan(0.4 * step * 2 ** (-1 / 16))
  })

  test('are as small as their entropy, and less than 1.5 % more', () => {
    const { length } = packLatent(latent(), shape, 0.5)
    // A normal number in steps of half its spread: log2(sqrt(2 pi e) / 0.5) bits.
    const bits = Math.log2(Math.sqrt(2 * Math.PI * Math.E) / 0.5) * 60 * 32
    expect(length - 6 - shape.channels).toBeGreaterThan(0.985 * (bits / 8))
    expect(length - 6 - shape.channels).toBeLessThan(1.015 * (bits / 8) + 8)
  })

  test('channels that move the picture more have smaller steps', () => {
    const before = latent()
    const after = unpackLatent(packLatent(before, { ...shape, gains }, 0.5), shape)
    const off = (c: number) => {
      const errors = before.map((value, i) => value - after[i]!).filter((_, i) => i % shape.channels === c)
      return Math.sqrt(errors.reduce((sum, error) => sum + error ** 2, 0) / errors.length)
    }
    expect(off(8) / off(1)).toBeCloseTo(9 / 2, 0)
  })

  test('a channel that does not vary survives', () => {
    const flat = new Float32Array(60 * 32).fill(0.5)
    const payload = packLatent(flat, shape, 0.5)
    expect(unpackLatent(payload, shape)).toEqual(flat)
    expect(payload.length).toBeLessThan(300) // a bit of sign each
  })

  test('what is packed twice is the same again', () => {
    const once = unpackLatent(packLatent(latent(), shape), shape)
    expect(unpackLatent(packLatent(once, shape), shape)).toEqual(once)
  })

  test('any numbers come back, large ones too', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -(2 ** 19), max: 2 ** 19 }), { minLength: 12, maxLength: 12 }),
        (numbers) => {
          const one = { tokens: 4, channels: 3 }
          expect([...unpackLatent(packLatent(Float32Array.from(numbers), one, 1), one)]).toEqual(
            numbers.map((n) => n + 0),
          )
        },
      ),
    )
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
      { numRuns: 500 },
    )
  })

  test('another shape is refused', () => {
    const payload = packLatent(latent(), shape)
    expect(() => unpackLatent(payload, { tokens: 32, channels: 60 })).toThrow(WireMalformedError)
    expect(() => unpackLatent(payload, { tokens: 60, channels: 48 })).toThrow(/not 60x48/)
    expect(() => unpackLatent(payload.subarray(0, 20), shape)).toThrow(/no latent of 60x32/)
  })
})

describe('packed grids', () => {
  const reading = [0, 1, 2, 3]
  const grid = { tokens: 6 * 10 + 2, channels: 3, columns: 10, telemetry: reading, gains: [4, 1, 0.5] }
  const cells = 60

  /** Smooth in the first channel, grain in the others; telemetry behind them. */
  function picture(): Float32Array {
    const out = new Float32Array(grid.tokens * grid.channels)
    normals(3, 0, 0, out)
    for (let t = 0; t < cells; t++) out[t * 3] = Math.sin((t % 10) / 4) + Math.floor(t / 10) / 3
    return out
  }

  test('are off by half a step at most, and telemetry by less, whatever its channel moves', () => {
    const before = picture()
    const after = unpackLatent(packLatent(before, grid, 0.5), grid)
    const mean = 5.5 / 3
    for (const [c, gain] of grid.gains.entries()) {
      const off = [...Array(cells).keys()].map((t) => Math.abs(before[t * 3 + c]! - after[t * 3 + c]!))
      expect(Math.max(...off)).toBeLessThan((0.25 * mean * 2 ** (1 / 16)) / gain + 1e-6)
    }
    for (let i = cells * 3; i < before.length; i++) {
      expect(Math.abs(before[i]! - after[i]!)).toBeLessThanOrEqual(1 / 512)
    }
  })

  test('what neighbours say is not sent again', () => {
    const flat = { ...grid, columns: undefined }
    expect(packLatent(picture(), grid, 0.1).length).toBeLessThan(
      0.95 * packLatent(picture(), flat, 0.1).length,
    )
  })

  test('any numbers come back, up to the largest', () => {
    const most = 2 ** 18
    const shape = { tokens: 5, channels: 2, columns: 2, telemetry: [1] }
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -most - 9, max: most + 9 }), { minLength: 10, maxLength: 10 }),
        (numbers) => {
          const came = unpackLatent(packLatent(Float32Array.from(numbers), shape, 1), shape)
          const kept = numbers.map((n) => Math.max(-most, Math.min(most, n)) + 0)
          // Telemetry has steps of 1/256.
          expect([...came.subarray(0, 8)]).toEqual(kept.slice(0, 8))
        },
      ),
    )
  })

  test('damaged ones are refused by name or read, and nothing else', () => {
    const good = packLatent(picture(), grid)
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 0, max: good.length + 2 }),
        (changes, length) => {
          const bytes = new Uint8Array(length)
          bytes.set(good.subarray(0, length))
          for (const [at, value] of changes) if (at < length) bytes[at] = value
          try {
            expect(unpackLatent(bytes, grid).every(Number.isFinite)).toBe(true)
          } catch (error) {
            expect(error).toBeInstanceOf(WireMalformedError)
          }
        },
      ),
      { numRuns: 500 },
    )
  })

  test('are no latents of a world without a grid, nor the other way round', () => {
    const flat = { ...grid, columns: undefined }
    expect(() => unpackLatent(packLatent(picture(), grid), flat)).toThrow(WireMalformedError)
    expect(() => unpackLatent(packLatent(picture(), flat), grid)).toThrow(WireMalformedError)
  })
})
