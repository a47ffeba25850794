/** What a scene is: the choices that captions name and the simulator draws. */
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
