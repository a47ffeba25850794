import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parseManifest } from './manifest'
import { openDreamNode } from './node'
import { namedIn, startsLike } from './reading'

const CHOICES = { place: ['sea', 'town'], time: ['day', 'night'] }
const reading = (...values: number[]) => Float32Array.from(values)
const SEA_DAY = { id: 'a', embedding: reading(1, 0, 0, 1, 0, 0) }
const SEA_NIGHT = { id: 'b', embedding: reading(0.9, 0.1, 0, 0, 1, 0) }
const TOWN_NIGHT = { id: 'c', embedding: reading(0, 1, 0, 0, 0.8, 0.2) }
const STARTS = [SEA_DAY, SEA_NIGHT, TOWN_NIGHT]

describe('a reading', () => {
  it('names what it is sure of, and nothing where nothing is said', () => {
    expect(namedIn(reading(0.9, 0.1, 0, 0, 0.6, 0.4), CHOICES)).toEqual({ place: 'sea', time: 'night' })
    expect(namedIn(reading(0, 0.2, 0.8, 0, 0, 1), CHOICES)).toEqual({})
  })

  it('chooses the starts that are most like it, the place before the time', () => {
    expect(startsLike(STARTS, reading(1, 0, 0, 0, 1, 0), CHOICES)).toEqual([SEA_NIGHT])
    expect(startsLike(STARTS, reading(0, 1, 0, 1, 0, 0), CHOICES)).toEqual([TOWN_NIGHT])
    expect(startsLike(STARTS, reading(0, 0, 1, 0, 1, 0), CHOICES)).toEqual([SEA_NIGHT, TOWN_NIGHT])
    expect(startsLike(STARTS, reading(0, 0, 1, 0, 0, 1), CHOICES)).toEqual(STARTS)
  })
})

describe('the dream that ships', () => {
  it('begins where its words are with every seed, presets and other words alike', async () => {
    const { presets, starts } = parseManifest(readFileSync('assets/drive/world.json', 'utf8'))
    const dream = await openDreamNode('assets/drive', { threads: 1 })
    const latents = async (options: Parameters<typeof dream.reset>[0]) => {
      await dream.reset(options)
      return (await dream.snapshot()).state.halfLatents as Uint16Array
    }
    const known = new Map<string, string>()
    for (const { id } of starts) known.set((await latents({ seed: 0, start: id })).join(), id)
    const begun = async (prompt: string) => {
      const ids: string[] = []
      for (const seed of [0, 1, 2, 3, 4]) ids.push(known.get((await latents({ seed, prompt })).join())!)
      return ids
    }
    expect(presets[0]!.text).toBe('a snowy road at sunset')
    for (const id of await begun('a snowy road at sunset')) expect(id).toBe('snow-dusk-clear')
    for (const id of await begun('lava fields in the fog')) expect(id).toMatch(/^volcano/)
    for (const id of await begun('camels under a hot midday sun')) expect(id).toMatch(/^desert/)
    await dream.close()
  }, 120_000)
})
