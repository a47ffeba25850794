/** The words of the world: every combination of biome, time and weather, said in many ways. */

export const BIOMES = ['meadow', 'forest', 'desert', 'snow', 'volcano'] as const
export const TIMES = ['dawn', 'noon', 'dusk', 'night'] as const
export const WEATHERS = ['clear', 'rain', 'fog', 'snowfall'] as const

export type Biome = (typeof BIOMES)[number]
export type TimeOfDay = (typeof TIMES)[number]
export type Weather = (typeof WEATHERS)[number]

export interface Setting {
  readonly biome: Biome
  readonly time: TimeOfDay
  readonly weather: Weather
}

/** `train` words are in the training captions; `unseen` words and phrasings never are. */
export type Split = 'train' | 'unseen'

interface Lexicon {
  readonly noun: readonly string[]
  readonly adjective: readonly string[]
}

type Words<K extends string> = Record<Split, Record<K, Lexicon>>

const BIOME_WORDS: Words<Biome> = {
  train: {
    meadow: {
      noun: [
        'a green meadow',
        'meadows',
        'grassland',
        'rolling green fields',
        'the countryside',
        'flower fields',
        'a grassy plain',
      ],
      adjective: ['green', 'grassy', 'meadow', 'countryside'],
    },
    forest: {
      noun: [
        'a forest',
        'the woods',
        'deep woods',
        'a pine forest',
        'tall trees',
        'dense woodland',
        'an evergreen forest',
      ],
      adjective: ['forest', 'wooded', 'woodland', 'tree-lined'],
    },
    desert: {
      noun: [
        'a desert',
        'sand dunes',
        'the sandy desert',
        'cactus country',
        'a dry desert',
        'orange sands',
        'a hot desert',
      ],
      adjective: ['desert', 'sandy', 'dry', 'dusty'],
    },
    snow: {
      noun: [
        'a snowy land',
        'snow fields',
        'a winter landscape',
        'the frozen north',
        'white snow',
        'an icy plain',
        'snow-covered hills',
      ],
      adjective: ['snowy', 'wintry', 'frozen', 'snow-covered'],
    },
    volcano: {
      noun: [
        'a volcano',
        'a volcanic land',
        'lava fields',
        'black rock and lava',
        'glowing lava',
        'a land of fire and ash',
        'the volcanic wasteland',
      ],
      adjective: ['volcanic', 'lava', 'fiery', 'scorched'],
    },
  },
  unseen: {
    meadow: { noun: ['a lush pasture', 'the prairie', 'farmland'], adjective: ['verdant', 'pastoral'] },
    forest: {
      noun: ['a thicket of firs', 'the timberland', 'a jungle of spruce'],
      adjective: ['leafy', 'sylvan'],
    },
    desert: { noun: ['the Sahara', 'arid badlands', 'a barren dune sea'], adjective: ['arid', 'parched'] },
    snow: { noun: ['the arctic tundra', 'a glacier', 'Antarctica'], adjective: ['arctic', 'glacial'] },
    volcano: {
      noun: ['a molten hellscape', 'magma rivers', 'the slopes of Mount Doom'],
      adjective: ['molten', 'infernal'],
    },
  },
}

const TIME_WORDS: Words<TimeOfDay> = {
  train: {
    dawn: {
      noun: ['at dawn', 'at sunrise', 'in the early morning', 'at daybreak', 'in the morning'],
      adjective: ['dawn', 'sunrise', 'early morning', 'morning'],
    },
    noon: {
      noun: ['at noon', 'at midday', 'in bright daylight', 'in the middle of the day', 'in daytime'],
      adjective: ['noon', 'midday', 'daytime', 'bright'],
    },
    dusk: {
      noun: ['at dusk', 'at sunset', 'in the evening', 'at twilight', 'as the sun goes down'],
      adjective: ['dusk', 'sunset', 'evening', 'twilight'],
    },
    night: {
      noun: ['at night', 'at midnight', 'in the dark', 'under the stars', 'late at night'],
      adjective: ['night', 'midnight', 'dark', 'nighttime'],
    },
  },
  unseen: {
    dawn: { noun: ['at first light', 'as the rooster crows'], adjective: ['rosy-skied'] },
    noon: { noun: ['at lunchtime', 'with the sun overhead'], adjective: ['sunlit'] },
    dusk: { noun: ['at nightfall', 'in the gloaming'], adjective: ['sundown'] },
    night: { noun: ['by moonlight', 'in the small hours'], adjective: ['moonlit'] },
  },
}

const WEATHER_WORDS: Words<Weather> = {
  train: {
    clear: {
      noun: ['in clear weather', 'under a clear sky', 'on a clear day', 'with no clouds', ''],
      adjective: ['clear', 'cloudless', ''],
    },
    rain: {
      noun: ['in the rain', 'in heavy rain', 'while it rains', 'in a rainstorm', 'in wet weather'],
      adjective: ['rainy', 'wet', 'stormy'],
    },
    fog: {
      noun: ['in the fog', 'in thick fog', 'in the mist', 'with fog all around', 'in dense mist'],
      adjective: ['foggy', 'misty', 'hazy'],
    },
    snowfall: {
      noun: [
        'in falling snow',
        'while it snows',
        'in a snowstorm',
        'with snowflakes falling',
        'in a blizzard',
      ],
      adjective: ['snowing', 'blizzard', 'snowflake-filled'],
    },
  },
  unseen: {
    clear: { noun: ['beneath a spotless sky', 'in fine weather'], adjective: ['fair-weather'] },
    rain: { noun: ['in a downpour', 'under pouring drizzle'], adjective: ['drizzly', 'soaked'] },
    fog: { noun: ['shrouded in haze', 'lost in low cloud'], adjective: ['murky'] },
    snowfall: { noun: ['in a flurry', 'as sleet and flakes whirl down'], adjective: ['flurrying'] },
  },
}

const FRAMES: Record<Split, readonly ((w: Fill) => string)[]> = {
  train: [
    (w) => `driving through ${w.biomeNoun} ${w.timeNoun} ${w.weatherNoun}`,
    (w) => `a ${w.weatherAdj} ${w.biomeAdj} drive ${w.timeNoun}`,
    (w) => `a ${w.biomeAdj} ${w.timeAdj} drive ${w.weatherNoun}`,
    (w) => `a ${w.weatherAdj} ${w.timeAdj} in ${w.biomeNoun}`,
    (w) => `${w.weatherAdj} ${w.timeAdj}, ${w.biomeNoun}`,
    (w) => `a road through ${w.biomeNoun} ${w.weatherNoun} ${w.timeNoun}`,
    (w) => `${w.biomeNoun}, ${w.timeAdj}, ${w.weatherAdj}`,
    (w) => `${w.timeNoun} ${w.weatherNoun}, a car drives through ${w.biomeNoun}`,
    (w) => `${w.biomeAdj} road ${w.timeNoun} ${w.weatherNoun}`,
    (w) => `${w.biome} ${w.time} ${w.weather}`,
  ],
  unseen: [
    (w) => `take me to ${w.biomeNoun} ${w.timeNoun} ${w.weatherNoun}`,
    (w) => `I want to cruise across ${w.biomeNoun} ${w.weatherNoun}, ${w.timeNoun}`,
    (w) => `imagine a ${w.weatherAdj} ${w.timeAdj} trip over ${w.biomeNoun}`,
    (w) => `show me ${w.biomeAdj} scenery ${w.timeNoun} ${w.weatherNoun}`,
  ],
}

interface Fill extends Setting {
  readonly biomeNoun: string
  readonly biomeAdj: string
  readonly timeNoun: string
  readonly timeAdj: string
  readonly weatherNoun: string
  readonly weatherAdj: string
}

/** A source of uniform numbers in [0, 1). */
export type Uniform = () => number

function pick<T>(items: readonly T[], uniform: Uniform): T {
  return items[Math.floor(uniform() * items.length)]!
}

/** One way to say `setting`, chosen by `uniform`; `unseen` captions use held-out words and phrasings. */
export function caption(setting: Setting, uniform: Uniform, split: Split = 'train'): string {
  const fill: Fill = {
    ...setting,
    biomeNoun: pick(BIOME_WORDS[split][setting.biome].noun, uniform),
    biomeAdj: pick(BIOME_WORDS[split][setting.biome].adjective, uniform),
    timeNoun: pick(TIME_WORDS[split][setting.time].noun, uniform),
    timeAdj: pick(TIME_WORDS[split][setting.time].adjective, uniform),
    weatherNoun: pick(WEATHER_WORDS[split][setting.weather].noun, uniform),
    weatherAdj: pick(WEATHER_WORDS[split][setting.weather].adjective, uniform),
  }
  return pick(
    FRAMES[split],
    uniform,
  )(fill)
    .replace(/\s+/g, ' ')
    .replace(/ ,/g, ',')
    .replace(/[ ,]+$/g, '')
    .trim()
}

const EXTRA: Partial<Record<Biome | TimeOfDay | Weather, readonly string[]>> = {
  meadow: ['meadow', 'grass', 'field', 'green', 'country'],
  forest: ['forest', 'wood', 'tree', 'pine', 'jungle'],
  desert: ['desert', 'sand', 'dune', 'cactus'],
  snow: ['snowy', 'winter', 'ice', 'icy', 'arctic', 'frozen', 'tundra'],
  volcano: ['volcan', 'lava', 'magma', 'ash', 'fire'],
  dawn: ['dawn', 'sunrise', 'morning', 'daybreak'],
  noon: ['noon', 'midday', 'day', 'sunny'],
  dusk: ['dusk', 'sunset', 'evening', 'twilight'],
  night: ['night', 'dark', 'star', 'moon'],
  clear: ['clear', 'sunny', 'cloudless'],
  rain: ['rain', 'storm', 'wet', 'drizzl', 'downpour'],
  fog: ['fog', 'mist', 'haz', 'murk'],
  snowfall: ['snowfall', 'snowing', 'snows', 'falling snow', 'snowstorm', 'snowflake', 'blizzard', 'flurr'],
}

function vocabulary(words: Words<string>, key: string): string[] {
  const all = (['train', 'unseen'] as const).flatMap((split) => {
    const entry = words[split][key]!
    return [...entry.noun, ...entry.adjective]
  })
  return [...all.filter((w) => w.length > 2), ...(EXTRA[key as Biome] ?? [])]
}

function best<K extends string>(text: string, keys: readonly K[], words: Words<K>, fallback: K): K {
  let winner = fallback
  let score = 0
  for (const key of keys) {
    const hit = vocabulary(words as Words<string>, key)
      .filter((word) => text.includes(word))
      .reduce((longest, word) => Math.max(longest, word.length), 0)
    if (hit > score) {
      winner = key
      score = hit
    }
  }
  return winner
}

/** The setting that free words mean to the simulator; what they leave open stays as it is in `current`. */
export function settingFromText(text: string, current: Setting): Setting {
  const lower = text.toLowerCase()
  return {
    biome: best(lower, BIOMES, BIOME_WORDS, current.biome),
    time: best(lower, TIMES, TIME_WORDS, current.time),
    weather: best(lower, WEATHERS, WEATHER_WORDS, current.weather),
  }
}
