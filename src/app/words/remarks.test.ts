import { expect, it } from 'vitest'
import { PLAIN_PRESETS } from './presets'
import { heardBySimulator, remarkOn } from './remarks'

it.each([
  'a snowy night drive',
  'please take me to the desert at noon, it is raining',
  "let's go through the woods in the fog",
  ...PLAIN_PRESETS.map(({ text }) => text),
])('says nothing where all of it was understood: %s', (text) => {
  expect(remarkOn(text, heardBySimulator(text))).toBeNull()
})

it('says that nothing was heard in words that mean nothing here', () => {
  expect(remarkOn('purple cats', heardBySimulator('purple cats'))).toMatch(/^Nothing in "purple cats" names/)
  expect(remarkOn('purple cats', {})).toMatch(/Say for example/)
})

it.each(['雪の夜のドライブ', 'снежная ночь'])('says that only English is understood: %s', (text) => {
  expect(remarkOn(text, heardBySimulator(text))).toMatch(/Only English words are understood/)
  expect(remarkOn(text, {})).toMatch(/Only English words are understood/)
  expect(remarkOn(text, null)).toMatch(/Only English words are understood/)
})

it('says what was heard and what was not known', () => {
  const text = 'zebras eat pizza in a snowy forest at night'
  expect(remarkOn(text, heardBySimulator(text))).toBe('Heard: forest, night. Not known here: zebras, pizza.')
})

it('names some of many unknown words, and says that there are more', () => {
  const text = 'zonk quilp vorgle wubbit plimf drongo skreel in the snow'
  expect(remarkOn(text, heardBySimulator(text))).toMatch(
    /Not known here: zonk, quilp, vorgle, wubbit, plimf, drongo and more\.$/,
  )
})

it('calls a guess what was read in words that nobody wrote down', () => {
  expect(remarkOn('yaks at midnight', { biome: 'snow', time: 'night' })).toBe('Guessed from yaks: snow.')
  expect(remarkOn('снег', { weather: 'rain' })).toBe(
    'Guessed from снег: rain. Only English words are understood.',
  )
  expect(remarkOn('xyzzy', { weather: 'rain' })).toBe('Guessed from xyzzy: rain.')
})

it('does not judge what a server reads', () => {
  expect(remarkOn('purple cats', null)).toBeNull()
})
