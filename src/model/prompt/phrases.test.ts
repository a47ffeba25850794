import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { phrasesOf, WORDS_READ } from './phrases'
import golden from './phrases.golden.json'

describe('phrasesOf', () => {
  it.each(golden)('takes $text apart as Python does', ({ text, phrases }) => {
    expect(phrasesOf(text)).toEqual({ phrases, dropped: 0 })
  })

  it('reads the first words of a long text and counts the others', () => {
    const words = Array.from({ length: WORDS_READ + 7 }, (_, i) => `w${i}`)
    const { phrases, dropped } = phrasesOf(words.join(' '))
    expect(phrases).toContain(`w${WORDS_READ - 1}`)
    expect(phrases.some((phrase) => phrase.includes(`w${WORDS_READ}`))).toBe(false)
    expect([phrases.length, dropped]).toEqual([190, 7])
  })

  it('gives something for any text, and never the same phrase twice', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const { phrases } = phrasesOf(text)
        expect(phrases.length).toBeGreaterThan(0)
        expect(phrases.length).toBeLessThanOrEqual(190)
        expect(new Set(phrases).size).toBe(phrases.length)
      }),
    )
  })
})
