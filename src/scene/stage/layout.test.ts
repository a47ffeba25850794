import { describe, expect, it } from 'vitest'
import { fitFrame, frameAnchor, MAX_ZOOM, renderScale, splitStage } from './layout'

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
