import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { closestStart } from './starts'

const { starts, presets } = JSON.parse(readFileSync('assets/drive/world.json', 'utf8'))
const SEEDS = [0, 1, 2, 3, 4]
const ids = (text: string) => SEEDS.map((seed) => closestStart(text, starts, seed)?.id)

describe('closestStart', () => {
  it('begins in the place that the first preset names, with every seed', () => {
    expect(presets[0]!.text).toBe('a snowy road at sunset')
    expect(new Set(ids('a snowy road at sunset'))).toEqual(new Set(['snow-dusk-clear']))
  })

  it.each([
    ['desert highway at sunset', /^desert-dusk/],
    ['lava fields in the fog', /^volcano/],
    ['snow falling in the forest at night', /^forest-dusk-snowfall$/],
    ['heavy rain over the meadows', /^meadow-dusk-rain$/],
    ['foggy morning in the woods', /^forest-dawn/],
    ['driving through a snowy landscape on a clear morning', /^snow/],
    ['off to Siberia', /^snow/],
    ['stars above the Kalahari', /^desert/],
  ])('begins where "%s" is', (text, place) => {
    for (const id of ids(text)) expect(id).toMatch(place)
  })

  it('lets the seed choose among equals', () => {
    const snowy = starts.filter(({ id }: { id: string }) => id.startsWith('snow')).length
    expect(snowy).toBeGreaterThan(1)
    expect(new Set(ids('snow')).size).toBe(snowy)
  })

  it('leaves the choice to the world where the words name nothing', () => {
    expect(closestStart('the drive', starts, 1)).toBeUndefined()
    expect(closestStart('start on the highway', starts, 1)).toBeUndefined()
    expect(closestStart('x', [], 1)).toBeUndefined()
  })
})
