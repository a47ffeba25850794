/** Captions: every combination of biome, time and weather, said in many ways. */
import {
  BIOMES,
  type Biome,
  type Setting,
  type Split,
  TIMES,
  type TimeOfDay,
  WEATHERS,
  type Weather,
} from './labels'
import { BIOME_WORDS, type Lexicon, TIME_WORDS, WEATHER_WORDS, type Words } from './lexicon'
import { MORE_WORDS } from './more-words'

export * from './labels'

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
    (w) => `${w.timeNoun}, ${w.weatherNoun}, ${w.biomeNoun}`,
    (w) => `a car on a ${w.biomeAdj} road, ${w.timeAdj} and ${w.weatherAdj}`,
    (w) => `an endless road through ${w.biomeNoun}, ${w.timeNoun}, ${w.weatherNoun}`,
    (w) => `make it ${w.weatherAdj} and ${w.timeAdj} in ${w.biomeNoun}`,
    (w) => `${w.weatherAdj} ${w.biomeAdj} ${w.timeAdj}`,
    (w) => `we drive past ${w.biomeNoun} ${w.timeNoun} ${w.weatherNoun}`,
    (w) => `${w.timeAdj}, ${w.biomeAdj}, ${w.weatherAdj}`,
    (w) => `now ${w.biomeNoun} ${w.weatherNoun} ${w.timeNoun}`,
    (w) => `please, ${w.biomeNoun} ${w.timeNoun} ${w.weatherNoun}`,
    (w) => `let us go to ${w.biomeNoun} ${w.timeNoun}, ${w.weatherNoun}`,
    (w) => `picture ${w.biomeNoun} ${w.weatherNoun} ${w.timeNoun}`,
    (w) => `a ${w.weatherAdj} ${w.timeAdj} journey in ${w.biomeNoun}`,
    (w) => `give me a ${w.timeAdj} by ${w.biomeNoun} ${w.weatherNoun}`,
    (w) => `a ${w.biomeAdj} landscape ${w.timeNoun} ${w.weatherNoun}`,
    (w) => `a lonely road, ${w.biomeNoun}, ${w.weatherNoun}, ${w.timeNoun}`,
    (w) => `we are travelling ${w.weatherNoun} ${w.timeNoun} in ${w.biomeNoun}`,
    (w) => `somewhere in ${w.biomeNoun}, ${w.timeAdj}, ${w.weatherNoun}`,
    (w) => `turn the world into ${w.biomeNoun} ${w.timeNoun} ${w.weatherNoun}`,
    (w) => `${w.biomeNoun}. ${w.timeNoun}. ${w.weatherNoun}.`,
    (w) => `${w.weatherAdj}, ${w.timeAdj}, ${w.biomeAdj} world`,
  ],
  unseen: [
    (w) => `take me to ${w.biomeNoun} ${w.timeNoun} ${w.weatherNoun}`,
    (w) => `I want to cruise across ${w.biomeNoun} ${w.weatherNoun}, ${w.timeNoun}`,
    (w) => `imagine a ${w.weatherAdj} ${w.timeAdj} trip over ${w.biomeNoun}`,
    (w) => `show me ${w.biomeAdj} scenery ${w.timeNoun} ${w.weatherNoun}`,
  ],
}

const PARAPHRASE_FRAMES: readonly ((w: Fill) => string)[] = [
  ...FRAMES.train,
  (w) => `could we have ${w.biomeNoun} ${w.timeNoun} ${w.weatherNoun}`,
  (w) => `the car is in ${w.biomeNoun}, it is ${w.timeAdj} and ${w.weatherAdj}`,
  (w) => `change to ${w.biomeNoun}, ${w.timeAdj}, ${w.weatherAdj}`,
  (w) => `switch to ${w.biomeNoun} ${w.timeNoun} ${w.weatherNoun}`,
  (w) => `a ${w.timeAdj} ride ${w.weatherNoun} among ${w.biomeNoun}`,
  (w) => `we roll along ${w.biomeNoun} ${w.weatherNoun} ${w.timeNoun}`,
  (w) => `a view of ${w.biomeNoun} ${w.timeNoun} ${w.weatherNoun}`,
  (w) => `${w.timeNoun} on a ${w.biomeAdj} road ${w.weatherNoun}`,
  (w) => `${w.timeNoun} on a ${w.weatherAdj} ${w.biomeAdj} highway`,
  (w) => `a video of ${w.biomeNoun} ${w.timeNoun} ${w.weatherNoun}`,
  (w) => `${w.biomeAdj} country ${w.timeNoun} ${w.weatherNoun}`,
  (w) => `the road leads through ${w.biomeNoun} ${w.timeNoun} ${w.weatherNoun}`,
  (w) => `I would like ${w.biomeNoun}, ${w.timeNoun}, ${w.weatherNoun}`,
  (w) => `we see ${w.biomeNoun} ${w.weatherNoun}, ${w.timeNoun}`,
]

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
  const { biome, time, weather } = setting
  const words = [BIOME_WORDS[split][biome], TIME_WORDS[split][time], WEATHER_WORDS[split][weather]] as const
  return say(setting, words, FRAMES[split], uniform)
}

const NOTHING: Lexicon = { noun: [''], adjective: [''] }
/** How often clear weather goes unsaid, as most who type leave it. */
const UNSAID = 0.25

/** As a training caption, with further words and phrasings. */
export function paraphrase(setting: Setting, uniform: Uniform): string {
  const { biome, time, weather } = setting
  const unsaid = weather === 'clear' && uniform() < UNSAID
  const words = [
    joined(BIOME_WORDS.train[biome], MORE_WORDS[biome]),
    joined(TIME_WORDS.train[time], MORE_WORDS[time]),
    unsaid ? NOTHING : joined(WEATHER_WORDS.train[weather], MORE_WORDS[weather]),
  ] as const
  return say(setting, words, PARAPHRASE_FRAMES, uniform)
}

/** The name and all nouns and adjectives that training text has for a biome, time or weather. */
export function phrases(name: Biome | TimeOfDay | Weather): readonly string[] {
  const words: Record<string, Lexicon> = { ...BIOME_WORDS.train, ...TIME_WORDS.train, ...WEATHER_WORDS.train }
  const { noun, adjective } = joined(words[name]!, MORE_WORDS[name])
  return [...new Set([name, ...noun, ...adjective])].filter((phrase) => phrase !== '')
}

function joined(one: Lexicon, other: Lexicon): Lexicon {
  return { noun: [...one.noun, ...other.noun], adjective: [...one.adjective, ...other.adjective] }
}

function say(
  setting: Setting,
  [biome, time, weather]: readonly [Lexicon, Lexicon, Lexicon],
  frames: readonly ((w: Fill) => string)[],
  uniform: Uniform,
): string {
  const fill: Fill = {
    ...setting,
    biomeNoun: pick(biome.noun, uniform),
    biomeAdj: pick(biome.adjective, uniform),
    timeNoun: pick(time.noun, uniform),
    timeAdj: pick(time.adjective, uniform),
    weatherNoun: pick(weather.noun, uniform),
    weatherAdj: pick(weather.adjective, uniform),
  }
  return pick(
    frames,
    uniform,
  )(fill)
    .replace(/\s+/g, ' ')
    .replace(/( ?,)+/g, ',')
    .replace(/\bit and /, 'it ')
    .replace(/ and ?$/, '')
    .replace(/[ ,]+$/g, '')
    .trim()
}

/** What people also say. A hyphen at the end: the beginning of a word is enough. */
const EXTRA: Partial<Record<Biome | TimeOfDay | Weather, readonly string[]>> = {
  meadow: ['meadow-', 'grass-', 'field', 'green', 'countryside'],
  forest: ['forest-', 'wood', 'wooded', 'woodland', 'tree', 'pine', 'jungle'],
  desert: ['desert', 'sand', 'sandy', 'dune', 'cactus', 'cacti'],
  snow: ['snow', 'snowy', 'winter', 'wintry', 'ice', 'icy', 'arctic', 'frozen', 'tundra', 'siberia-'],
  volcano: ['volcan-', 'lava', 'magma', 'ash', 'fire'],
  dawn: ['dawn', 'sunrise', 'morning', 'daybreak'],
  noon: ['noon', 'midday', 'day', 'daytime', 'sunny', 'afternoon'],
  dusk: ['dusk', 'sunset', 'evening', 'twilight'],
  night: ['night', 'dark', 'star', 'starry', 'moon', 'moonlit', 'midnight', 'nighttime'],
  clear: ['clear', 'sunny', 'cloudless'],
  rain: [
    'rain',
    'rainy',
    'raining',
    'rainfall',
    'rainstorm',
    'storm',
    'stormy',
    'wet',
    'drizzl-',
    'downpour',
  ],
  fog: ['fog-', 'mist', 'misty', 'haze', 'hazy', 'murk-'],
  snowfall: [
    'snowfall',
    'snowing',
    'it snow',
    'falling snow',
    'snow falling',
    'snowstorm',
    'snowflake',
    'blizzard',
    'flurr-',
  ],
}

/** Without case, punctuation and plurals, and with a blank at both ends: words count whole, so no mountain is tan. */
function spoken(text: string): string {
  const words = text.toLowerCase().match(/[a-z0-9]+/g) ?? []
  return ` ${words.map((word) => word.replace(/(?<=[a-z]{3}(?<!s))s$/, '')).join(' ')} `
}

/** The phrases that name something, as `spoken` gives them; an open end where the beginning of a word is enough. */
function vocabulary(words: Words<string>, key: string): readonly string[] {
  const all = (['train', 'unseen'] as const).flatMap((split) => {
    const entry = words[split][key]!
    return [...entry.noun, ...entry.adjective]
  })
  const more = MORE_WORDS[key as Biome]
  const phrases = [...all, ...more.noun, ...more.adjective].filter((phrase) => phrase.length > 2).map(spoken)
  const extra = EXTRA[key as Biome]!.map((word) =>
    word.endsWith('-') ? spoken(word).trimEnd() : spoken(word),
  )
  return [...new Set([...phrases, ...extra])]
}

const known = new Map<string, readonly string[]>()

function phrasesFor(words: Words<string>, key: string): readonly string[] {
  const found = known.get(key) ?? vocabulary(words, key)
  known.set(key, found)
  return found
}

/** The key that the longest phrase in the text names. */
function best<K extends string>(text: string, keys: readonly K[], words: Words<K>) {
  let winner: K | undefined
  let phrase = ''
  for (const key of keys) {
    for (const candidate of phrasesFor(words as Words<string>, key)) {
      if (candidate.length <= phrase.length || !text.includes(candidate)) continue
      winner = key
      phrase = candidate
    }
  }
  return winner
}

/** What free words name; left out where they name none. */
export function heardIn(text: string): Partial<Setting> {
  const said = spoken(text)
  const biome = best(said, BIOMES, BIOME_WORDS)
  const time = best(said, TIMES, TIME_WORDS)
  const weather = best(said, WEATHERS, WEATHER_WORDS)
  return { ...(biome && { biome }), ...(time && { time }), ...(weather && { weather }) }
}

/** The setting that free words mean to the simulator; what they leave open stays as it is in `current`. */
export function settingFromText(text: string, current: Setting): Setting {
  return { ...current, ...heardIn(text) }
}

/** Words that say nothing of a place, a time or a weather, and need not. */
const FILLERS =
  'and are as be been but can car do for from get go has have he her his how i if into is it its just like looks make me my no not of off onto or our out over please ride she so some something that their them then there they this to trip up us view was we were what when where which while will world would you your'

let familiar: Set<string> | null = null

function familiarWords(): Set<string> {
  const heldOut = [BIOME_WORDS.unseen, TIME_WORDS.unseen, WEATHER_WORDS.unseen].flatMap((words) =>
    Object.values<Lexicon>(words).flatMap(({ noun, adjective }) => [...noun, ...adjective]),
  )
  const all = [
    ...[...BIOMES, ...TIMES, ...WEATHERS].flatMap(phrases),
    ...Object.values(EXTRA).flat(),
    ...heldOut,
    ...[...PARAPHRASE_FRAMES, ...FRAMES.unseen].map((frame) => frame(BLANK)),
    FILLERS,
  ]
  return new Set(all.flatMap((phrase) => spoken(phrase).trim().split(' ')))
}

/** The words of a text, each once, that nothing here knows. */
export function unknownWords(text: string): string[] {
  familiar ??= familiarWords()
  const stems = Object.values(EXTRA).flatMap((words) => words.filter((word) => word.endsWith('-')))
  const isKnown = (word: string) => {
    const said = spoken(word).trim()
    // `spoken` leaves nothing of other alphabets.
    if (/[^\p{ASCII}]/u.test(word)) return false
    return familiar!.has(said) || stems.some((stem) => said.startsWith(stem.slice(0, -1)))
  }
  const words = [...new Set(text.match(/[\p{L}\p{N}']+/gu) ?? [])]
  // Of "let's" the beginning counts.
  return words.filter((word) => word.length > 1 && !isKnown(word.split("'")[0]!))
}

const BLANK: Fill = {
  biome: 'meadow',
  time: 'noon',
  weather: 'clear',
  ...{ biomeNoun: '', biomeAdj: '', timeNoun: '', timeAdj: '', weatherNoun: '', weatherAdj: '' },
}
