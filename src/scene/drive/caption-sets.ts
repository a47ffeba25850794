import { Rng } from '../../engine/random'
import { BIOMES, caption, paraphrase, phrases, type Setting, TIMES, WEATHERS } from './captions'

export interface CaptionedSetting extends Setting {
  readonly train: readonly string[]
  readonly unseen: readonly string[]
}

export interface ParaphrasedSetting extends Setting {
  readonly texts: readonly string[]
}

const EACH = 4
const CAPTION_STREAM = 19
const PARAPHRASES = 300
const PARAPHRASE_STREAM = 20

const SETTINGS: readonly Setting[] = BIOMES.flatMap((biome) =>
  TIMES.flatMap((time) => WEATHERS.map((weather) => ({ biome, time, weather }))),
)

/** For every one of the 80 settings, four captions in trained words and four in words never trained on. */
export function evaluationCaptions(): CaptionedSetting[] {
  const rng = new Rng(0, CAPTION_STREAM)
  const uniform = () => rng.uniform()
  return SETTINGS.map((setting) => {
    const say = (split: 'train' | 'unseen') =>
      Array.from({ length: EACH }, () => caption(setting, uniform, split))
    return { ...setting, train: say('train'), unseen: say('unseen') }
  })
}

/** For every setting, more ways to say it in trained words than the recordings hold: text costs nothing to record. */
export function trainingParaphrases(): ParaphrasedSetting[] {
  const rng = new Rng(0, PARAPHRASE_STREAM)
  const uniform = () => rng.uniform()
  return SETTINGS.map((setting) => ({
    ...setting,
    texts: Array.from({ length: PARAPHRASES }, () => paraphrase(setting, uniform)),
  }))
}

/** What every biome, time and weather is called in training captions and paraphrases, by group. */
export function trainingPhrases(): Record<'biome' | 'time' | 'weather', Record<string, readonly string[]>> {
  const called = (names: readonly (typeof BIOMES | typeof TIMES | typeof WEATHERS)[number][]) =>
    Object.fromEntries(names.map((name) => [name, phrases(name)]))
  return { biome: called(BIOMES), time: called(TIMES), weather: called(WEATHERS) }
}
