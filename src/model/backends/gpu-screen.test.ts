import { describe, expect, it } from 'vitest'
import { placeFrame } from './gpu-screen'

describe('a frame of 160x96 on a canvas', () => {
  const frame = { width: 160, height: 96 }

  it('covers a wide canvas: the width fits, top and bottom are cropped evenly', () => {
    const { scale, offset } = placeFrame(frame, { width: 1600, height: 800 }, 'cover')
    expect(scale).toEqual([0.1, 0.1])
    expect(offset).toEqual([0, -80])
  })

  it('covers a tall canvas: the height fits, the sides are cropped evenly', () => {
    const { scale, offset } = placeFrame(frame, { width: 400, height: 960 }, 'cover')
    expect(scale).toEqual([0.1, 0.1])
    expect(offset).toEqual([-600, 0])
  })

  it('is contained with bars', () => {
    const { scale, offset } = placeFrame(frame, { width: 1600, height: 1200 }, 'contain')
    expect(scale).toEqual([0.1, 0.1])
    expect(offset).toEqual([0, 120])
  })

  it('is stretched to both sides', () => {
    expect(placeFrame(frame, { width: 320, height: 96 }, 'stretch')).toEqual({
      scale: [0.5, 1],
      offset: [0, 0],
    })
  })
})
