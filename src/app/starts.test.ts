import { describe, expect, it } from 'vitest'
import { closestStart } from './starts'

const STARTS = [
  { id: 'meadow-noon-clear', caption: 'driving through a green meadow at noon in clear weather' },
  { id: 'forest-noon-fog', caption: 'driving through the woods in daytime in the fog' },
  { id: 'snow-dawn-clear', caption: 'a road through the frozen north in the early morning' },
  { id: 'snow-night-clear', caption: 'a snowy land under the stars' },
]

describe('closestStart', () => {
  it('begins where the words are', () => {
    expect(closestStart('a drive through green meadows at noon', STARTS, 5)?.id).toBe('meadow-noon-clear')
    expect(closestStart('a snowy night drive', STARTS, 5)?.id).toBe('snow-night-clear')
    expect(closestStart('foggy morning in the woods', STARTS, 5)?.id).toBe('forest-noon-fog')
  })

  it('lets the seed choose among equals', () => {
    const ids = [0, 1].map(
      (seed) => closestStart('snow', [STARTS[2]!, { ...STARTS[3]!, caption: '' }], seed)?.id,
    )
    expect(ids).toEqual(['snow-dawn-clear', 'snow-night-clear'])
  })

  it('leaves the choice to the world where no start shares a word', () => {
    expect(closestStart('the drive', STARTS, 1)).toBeUndefined()
    expect(closestStart('x', [], 1)).toBeUndefined()
  })
})
