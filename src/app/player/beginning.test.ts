import { describe, expect, it } from 'vitest'
import { beginningOf } from './beginning'

const PRESETS = [{ id: 'noon', text: 'noon in the meadow' }]
const STARTS = [
  { id: 'meadow-noon-clear', caption: 'a bright meadow' },
  { id: 'snow-night-clear', caption: 'a snowy night' },
]
const state = { seed: 7, start: null, starts: STARTS, presets: PRESETS, listens: true, fromWords: true }
const byHeart = (text: string) => (text.includes('nobody knows') ? null : { text })

describe('how a drive begins', () => {
  it('words and a seed become a place of their own, where the dream draws first frames', () => {
    expect(beginningOf(state, 'dream', null, byHeart).options).toEqual({
      seed: 7,
      prompt: { text: 'noon in the meadow' },
    })
    const { options, shown } = beginningOf(state, 'dream', 'a snowy night drive', byHeart)
    expect(options).toEqual({ seed: 7, prompt: { text: 'a snowy night drive' } })
    expect(shown).toBe('a snowy night drive')
    const without = { ...state, fromWords: false }
    expect(beginningOf(without, 'dream', 'a snowy night drive', byHeart).options.start).toBe(
      'snow-night-clear',
    )
  })

  it('words that must be read first, the simulator and a named start keep to a start', () => {
    const { prompt, start } = beginningOf(
      state,
      'dream',
      'a snowy night that words nobody knows',
      byHeart,
    ).options
    expect([prompt, start]).toEqual([{ text: 'noon in the meadow' }, 'snow-night-clear'])
    expect(beginningOf(state, 'both', 'a snowy night drive', byHeart).options.start).toBe('snow-night-clear')
    const named = { ...state, start: 'meadow-noon-clear' }
    expect(beginningOf(named, 'dream', 'a snowy night drive', byHeart).options.start).toBe(
      'meadow-noon-clear',
    )
  })
})
