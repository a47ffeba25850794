import { describe, expect, it } from 'vitest'
import {
  FULL,
  fitFrame,
  frameAnchor,
  MAX_PIXEL,
  MAX_ZOOM,
  placeFrame,
  renderScale,
  splitStage,
} from './layout'

const pane = (width: number, height: number) => ({ x: 0, y: 0, width, height })

describe('fitFrame', () => {
  it('covers a 16:9 window without edges and crops evenly', () => {
    const rect = fitFrame(pane(1600, 900), 160, 96)
    expect(rect).toEqual({ x: 0, y: -30, width: 1600, height: 960 })
  })

  it('keeps the aspect of the frame at every window size', () => {
    for (const [w, h] of [
      [320, 900],
      [900, 320],
      [1, 1],
      [2560, 1440],
    ] as const) {
      const rect = fitFrame(pane(w, h), 160, 96)
      expect(rect.width / rect.height).toBeCloseTo(160 / 96, 9)
    }
  })

  it('stops growing at the zoom limit in a tall window and leaves room for the ambient edges', () => {
    const rect = fitFrame(pane(390, 844), 160, 96, 0.3)
    expect(rect.width).toBeCloseTo(390 * MAX_ZOOM, 6)
    expect(rect.height).toBeLessThan(844)
    expect(rect.y).toBeCloseTo((844 - rect.height) * 0.3, 6)
  })
})

describe('placeFrame', () => {
  const place = (width: number, height: number, top: number, bottom: number) =>
    placeFrame(pane(width, height), 160, 96, { width, height }, { full: false, top, bottom })

  it('shows a small frame at four to five screen pixels for one of its own, clear of the controls', () => {
    for (const [width, height, top, bottom] of [
      [1920, 1080, 100, 160],
      [1280, 720, 84, 131],
      [2560, 1440, 110, 170],
    ] as const) {
      const { rect, radius } = place(width, height, top, bottom)
      expect(rect.width / 160).toBeGreaterThan(4)
      expect(rect.width / 160).toBeLessThanOrEqual(MAX_PIXEL)
      expect(rect.width / rect.height).toBeCloseTo(160 / 96, 9)
      expect(rect.y).toBeGreaterThan(top)
      expect(rect.y + rect.height).toBeLessThan(height - bottom)
      expect(rect.x + rect.width / 2).toBeCloseTo(width / 2, 9)
      expect(radius).toBeGreaterThan(0)
    }
  })

  it('fills an upright phone from side to side, with the controls below', () => {
    const { rect, radius } = place(390, 844, 132, 320)
    expect([rect.x, rect.width]).toEqual([0, 390])
    expect(rect.y).toBeGreaterThanOrEqual(132)
    expect(rect.y + rect.height).toBeLessThanOrEqual(844 - 320)
    expect(radius).toBe(0)
  })

  it('takes all of the height on a phone held sideways, where controls lie over it', () => {
    const { rect } = place(844, 390, 70, 160)
    expect([rect.y, rect.height]).toEqual([0, 390])
  })

  it('shows a larger frame as large as there is room', () => {
    const { rect } = placeFrame(
      pane(1920, 1080),
      640,
      384,
      { width: 1920, height: 1080 },
      {
        full: false,
        top: 100,
        bottom: 160,
      },
    )
    expect(rect.height).toBeCloseTo(1080 - 260 - 32, 6)
  })

  it('covers the pane where the picture is full', () => {
    const { rect, radius } = placeFrame(pane(1600, 900), 160, 96, { width: 1600, height: 900 }, FULL)
    expect(rect).toEqual(fitFrame(pane(1600, 900), 160, 96))
    expect(radius).toBeNull()
  })

  it('gives two pictures on an upright phone equal room between the controls', () => {
    const framing = { full: false, top: 130, bottom: 300 }
    const [first, second] = splitStage(390, 844, 2, 1, framing).map(
      (pane) => placeFrame(pane, 160, 96, { width: 390, height: 844 }, framing).rect,
    )
    expect(first!.y).toBeGreaterThanOrEqual(130)
    expect(second!.y).toBeGreaterThanOrEqual(first!.y + first!.height)
    expect(second!.y + second!.height).toBeLessThanOrEqual(544)
    expect(first!.height).toBeCloseTo(second!.height, 6)
  })
})

describe('frameAnchor', () => {
  it('crops sky alone on a low stage, and both sides alike on any other', () => {
    const low = pane(844, 390)
    const rect = fitFrame(low, 160, 96, frameAnchor(low, 390))
    expect(rect.y + rect.height).toBeCloseTo(390, 6)
    expect(rect.y).toBeLessThan(-100)
    expect(frameAnchor(pane(1600, 900), 900)).toBe(0.5)
    expect(frameAnchor(pane(390, 844), 844)).toBe(0.32)
  })
})

describe('splitStage', () => {
  it('puts panes side by side on a wide stage and stacks them on a tall one', () => {
    expect(splitStage(1000, 500, 2)).toEqual([
      { x: 0, y: 0, width: 500, height: 500 },
      { x: 500, y: 0, width: 500, height: 500 },
    ])
    expect(splitStage(400, 800, 2)[1]).toEqual({ x: 0, y: 400, width: 400, height: 400 })
  })

  it('starts the transition from the first pane alone', () => {
    const [first, second] = splitStage(1000, 500, 2, 0)
    expect(first?.width).toBe(1000)
    expect(second?.width).toBe(0)
  })
})

describe('renderScale', () => {
  it('uses the display resolution within the pixel budget, at most 2', () => {
    expect(renderScale(800, 450, 3, 8e6)).toBe(2)
    expect(renderScale(1000, 1000, 1, 250_000)).toBe(0.5)
  })
})
