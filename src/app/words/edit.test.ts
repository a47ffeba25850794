import { describe, expect, it } from 'vitest'
import { namedIn } from '../../model/prompt/labels'
import { chosen, merged } from './edit'

const choices = { place: ['sea', 'town'], weather: ['clear', 'fog'] }
const labels = (...values: number[]) => Float32Array.from(values)
/** The sea in clear weather. */
const now = {
  choices,
  heard: { values: { place: 'sea', weather: 'clear' }, tick: 3, labels: labels(0.9, 0.1, 0, 1, 0, 0) },
}
const fog = labels(0, 0, 1, 0, 1, 0)

describe('words that only change the drive', () => {
  it.each(['make it foggy', 'Now with fog', 'please, add some fog', 'but in the fog'])(
    'keep the rest: %s',
    (text) => {
      const prompt = merged({ text, embedding: fog }, now)
      expect(prompt.text).toBe('sea, fog')
      expect(namedIn(prompt.embedding!, choices)).toEqual({ place: 'sea', weather: 'fog' })
    },
  )

  it.each(['fog', 'a foggy nowhere', 'android in the fog'])(
    'are not those that say all of it: %s',
    (text) => {
      const prompt = { text, embedding: fog }
      expect(merged(prompt, now)).toBe(prompt)
    },
  )

  it('stay as they are where nobody knows what the drive is told', () => {
    const prompt = { text: 'make it foggy' }
    expect(merged(prompt, now)).toBe(prompt)
    expect(merged({ ...prompt, embedding: fog }, { choices, heard: null })).toMatchObject(prompt)
  })
})

describe('a chip', () => {
  it('changes one thing', () => {
    expect(chosen(now, 'place', 'town')).toMatchObject({ text: 'town, clear' })
    expect(chosen(now, 'weather', null)).toMatchObject({ text: 'sea' })
    const unread = { ...now, heard: { ...now.heard, labels: null } }
    expect(chosen(unread, 'weather', 'fog')).toEqual({ text: 'sea, fog' })
    expect(chosen(unread, 'place', 'town')).toEqual({ text: 'town, clear' })
    expect(chosen({ choices, heard: null }, 'weather', 'fog')).toBeNull()
  })
})
