import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { Rng } from '../../engine/random'
import { evaluationCaptions, trainingParaphrases, trainingPhrases } from './caption-sets'
import { BIOMES, caption, paraphrase, settingFromText, TIMES, WEATHERS } from './captions'
import { BIOME_WORDS, type Lexicon, TIME_WORDS, WEATHER_WORDS } from './lexicon'
import { MORE_WORDS } from './more-words'

const ALL = BIOMES.flatMap((biome) =>
  TIMES.flatMap((time) => WEATHERS.map((weather) => ({ biome, time, weather }))),
)
const PLAIN = { biome: 'meadow', time: 'noon', weather: 'clear' } as const

function cycle(): () => number {
  const rng = new Rng(1)
  return () => rng.uniform()
}

function words(text: string): string[] {
  return text.toLowerCase().match(/[a-z]{4,}/g) ?? []
}

describe('captions', () => {
  it('say every setting in at least 40 ways', () => {
    for (const setting of ALL) {
      const uniform = cycle()
      const ways = new Set(Array.from({ length: 400 }, () => caption(setting, uniform)))
      expect(ways.size, JSON.stringify(setting)).toBeGreaterThanOrEqual(40)
    }
  })

  it('never leave stray blanks or commas where the weather goes unsaid', () => {
    const uniform = cycle()
    for (let i = 0; i < 3000; i++) {
      expect(caption(ALL[i % ALL.length]!, uniform)).toMatch(
        /^\S(?!.* {2})(?!.*[ ,],)(?!.*\bit and )(?!.* and$).*[^\s,]$/,
      )
    }
  })

  it('keep the unseen words out of the training captions', () => {
    const uniform = cycle()
    const trained = new Set<string>()
    for (let i = 0; i < 20_000; i++)
      for (const say of [caption, paraphrase])
        for (const word of words(say(ALL[i % ALL.length]!, uniform))) trained.add(word)
    for (const setting of ALL) {
      for (let i = 0; i < 12; i++) {
        const text = caption(setting, uniform, 'unseen')
        expect(
          words(text).some((word) => !trained.has(word)),
          text,
        ).toBe(true)
      }
    }
  })

  it('have no further words that begin as held-out ones do', () => {
    const start = (word: string) => word.slice(0, 5)
    const starts = (lexicons: readonly Lexicon[]) =>
      new Set(lexicons.flatMap((l) => words([...l.noun, ...l.adjective].join(' '))).map(start))
    const both = [BIOME_WORDS, TIME_WORDS, WEATHER_WORDS]
    const trained = starts(both.flatMap((kind) => Object.values(kind.train)))
    const heldOut = [...starts(both.flatMap((kind) => Object.values(kind.unseen)))].filter(
      (word) => !trained.has(word),
    )
    const more = starts(Object.values(MORE_WORDS))
    expect(heldOut.length).toBeGreaterThan(30)
    expect(heldOut.filter((word) => more.has(word))).toEqual([])
  })

  it('are understood by the simulator, trained or not', () => {
    let right = 0
    let asked = 0
    for (const { train, unseen, ...setting } of evaluationCaptions()) {
      for (const text of [...train, ...unseen]) {
        const got = settingFromText(text, setting)
        asked++
        if (got.biome === setting.biome && got.time === setting.time) right++
      }
    }
    expect(right / asked).toBeGreaterThan(0.97)
  })

  it('leave open what the words leave open', () => {
    expect(settingFromText('a snowy night drive', PLAIN)).toEqual({
      biome: 'snow',
      time: 'night',
      weather: 'clear',
    })
    expect(settingFromText('make it rain', { ...PLAIN, time: 'dusk' })).toEqual({
      biome: 'meadow',
      time: 'dusk',
      weather: 'rain',
    })
    expect(settingFromText('hello', PLAIN)).toEqual(PLAIN)
    expect(settingFromText('a mountain pass', PLAIN)).toEqual(PLAIN)
    expect(settingFromText('off to Siberia', PLAIN)).toEqual({ ...PLAIN, biome: 'snow' })
  })

  it('match the files that training and evaluation read (remake it with `npx tsx scripts/captions.ts`)', () => {
    expect(JSON.parse(readFileSync('distill/captions.json', 'utf8'))).toEqual(evaluationCaptions())
    expect(JSON.parse(gunzipSync(readFileSync('distill/paraphrases.json.gz')).toString())).toEqual(
      trainingParaphrases(),
    )
    expect(JSON.parse(readFileSync('distill/phrases.json', 'utf8'))).toEqual(trainingPhrases())
  })
})
