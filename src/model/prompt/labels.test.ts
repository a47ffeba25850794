import { describe, expect, it } from 'vitest'
import { hashPixels } from '../../engine/frame-hash'
import type { Pixels } from '../../engine/world'
import { openDreamNode } from '../node'
import { edited, namedIn, startsLike } from './labels'

const CHOICES = { place: ['sea', 'town'], time: ['day', 'night'] }
const labels = (...values: number[]) => Float32Array.from(values)
const SEA_DAY = { id: 'a', embedding: labels(1, 0, 0, 1, 0, 0) }
const SEA_NIGHT = { id: 'b', embedding: labels(0.9, 0.1, 0, 0, 1, 0) }
const TOWN_NIGHT = { id: 'c', embedding: labels(0, 1, 0, 0, 0.8, 0.2) }
const STARTS = [SEA_DAY, SEA_NIGHT, TOWN_NIGHT]

describe('prompt labels', () => {
  it('names what it is sure of, and nothing where nothing is said', () => {
    expect(namedIn(labels(0.9, 0.1, 0, 0, 0.6, 0.4), CHOICES)).toEqual({ place: 'sea', time: 'night' })
    expect(namedIn(labels(0, 0.2, 0.8, 0, 0, 1), CHOICES)).toEqual({})
  })

  it('is edited thing by thing, and the rest of it stays as it was', () => {
    const before = labels(0.9, 0.1, 0, 0, 0.6, 0.4)
    const after = edited(before, CHOICES, { place: 'town' })
    expect([...after]).toEqual([0, 1, 0, ...before.slice(3)])
    expect(namedIn(edited(before, CHOICES, { time: null }), CHOICES)).toEqual({ place: 'sea' })
    expect(before[0]).toBeCloseTo(0.9)
  })

  it('chooses the starts that are most like it, the place before the time', () => {
    expect(startsLike(STARTS, labels(1, 0, 0, 0, 1, 0), CHOICES)).toEqual([SEA_NIGHT])
    expect(startsLike(STARTS, labels(0, 1, 0, 1, 0, 0), CHOICES)).toEqual([TOWN_NIGHT])
    expect(startsLike(STARTS, labels(0, 0, 1, 0, 1, 0), CHOICES)).toEqual([SEA_NIGHT, TOWN_NIGHT])
    expect(startsLike(STARTS, labels(0, 0, 1, 0, 0, 1), CHOICES)).toEqual(STARTS)
  })
})

describe('the dream that ships', () => {
  it('draws first frames that look as their words say, presets and other words alike, and another for every seed', async () => {
    const dream = await openDreamNode('assets/drive', { threads: 1 })
    const drawn = async (prompt: string) => {
      const seen = new Set<string>()
      const means: number[][] = []
      for (const seed of [0, 1, 2, 3]) {
        const { frame, index } = await dream.reset({ seed, prompt })
        expect(index).toBe(0)
        seen.add(hashPixels(frame!))
        means.push([0, 1, 2].map((channel) => meanOf(frame!, channel)))
      }
      expect(seen.size).toBe(4)
      return means
    }
    for (const [red, , blue] of await drawn('a snowy night drive')) {
      expect(blue!).toBeGreaterThan(red! + 10)
      expect(red! + blue!).toBeLessThan(220)
    }
    for (const [red, , blue] of await drawn('lava fields in the fog'))
      expect(red!).toBeGreaterThan(blue! + 10)
    for (const [red, green] of await drawn('camels under a hot midday sun')) {
      expect(red! + green!).toBeGreaterThan(280)
    }
    await dream.close()
  }, 120_000)
})

/** Of one channel of a frame, 0 to 255. */
function meanOf({ data }: Pixels, channel: number): number {
  let sum = 0
  for (let i = channel; i < data.length; i += 4) sum += data[i]!
  return (4 * sum) / data.length
}
