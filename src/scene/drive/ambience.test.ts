import { describe, expect, it } from 'vitest'
import { ambienceOf } from './ambience'

const at = (speed: number, weather = 'clear') => ambienceOf({ speed, pitch: 0.5 }, { weather })!

describe('the sound of a drive', () => {
  it('is of engine and wind that grow with speed', () => {
    expect(at(0).wind).toBe(0)
    expect(at(30).wind).toBeGreaterThan(at(10).wind)
    expect(at(7).revs).toBeGreaterThan(at(1).revs)
    // In the next gear it turns more slowly.
    expect(at(8.1).revs).toBeLessThan(at(7.9).revs)
    for (const speed of [0, 4, 8, 16, 24, 32, 60]) {
      for (const value of Object.values(at(speed, 'rain'))) {
        expect(value).toBeGreaterThanOrEqual(0)
        expect(value).toBeLessThanOrEqual(1)
      }
    }
  })

  it('has rain where it rains, and none where nobody drives', () => {
    expect([at(10, 'rain').rain, at(10).rain, at(10, 'fog').rain]).toEqual([1, 0, 0])
    expect(ambienceOf(null, {})).toBeNull()
    expect(ambienceOf({ height: 3 }, {})).toBeNull()
  })
})
