/**
 * Further words for the captions that only text is made of (`trainingParaphrases`): recordings keep theirs, so that a seed
 * says the same for ever. No word of them begins as one of the held-out words does: captions.test.ts looks.
 */
import type { Biome, TimeOfDay, Weather } from './labels'
import type { Lexicon } from './lexicon'
import { MORE_BIOME_WORDS } from './more-biome-words'
import { MORE_TIME_WORDS } from './more-time-words'
import { MORE_WEATHER_WORDS } from './more-weather-words'

export const MORE_WORDS: Record<Biome | TimeOfDay | Weather, Lexicon> = {
  ...MORE_BIOME_WORDS,
  ...MORE_TIME_WORDS,
  ...MORE_WEATHER_WORDS,
}
