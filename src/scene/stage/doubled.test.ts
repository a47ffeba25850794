import { beforeAll, expect, it, vi } from 'vitest'
import { Doubled } from './doubled'

beforeAll(() => {
  const Image = class {
    readonly data: Uint8ClampedArray
    constructor(
      readonly width: number,
      readonly height: number,
    ) {
      this.data = new Uint8ClampedArray(width * height * 4)
    }
  }
  vi.stubGlobal('ImageData', Image)
})

function frame(width: number, height: number, at: (x: number, y: number) => number) {
  const data = new Uint8ClampedArray(width * height * 4).fill(255)
  for (let i = 0; i < width * height; i++) data.fill(at(i % width, Math.floor(i / width)), i * 4, i * 4 + 3)
  return { width, height, data }
}

const red = ({ data, width }: ImageData, x: number, y: number) => data[(y * width + x) * 4]!

it('is twice as large, and a slope stays one', () => {
  const image = new Doubled().draw(frame(12, 8, (x, y) => 10 * x + 5 * y))
  expect([image.width, image.height]).toEqual([24, 16])
  for (const [x, y] of [
    [8, 6],
    [11, 9],
    [14, 7],
  ] as const)
    expect(red(image, x, y)).toBeCloseTo(10 * ((x - 0.5) / 2) + 5 * ((y - 0.5) / 2), -0.3)
  expect(image.data[3]).toBe(255)
})

it('keeps a flat frame flat, and left and right, above and below where they were', () => {
  const doubled = new Doubled()
  expect(new Set(doubled.draw(frame(6, 4, () => 77)).data)).toEqual(new Set([77, 255]))
  const image = doubled.draw(frame(6, 4, (x, y) => (x === 1 && y === 3 ? 200 : 0)))
  expect(red(image, 2, 7)).toBeGreaterThan(100)
  expect(red(image, 2, 6)).toBeGreaterThan(100)
  expect(red(image, 9, 6)).toBe(0)
  expect(red(image, 2, 1)).toBe(0)
})
