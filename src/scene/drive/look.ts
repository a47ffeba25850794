import { BIOMES, type Setting } from './captions'
import { lerp } from './math'

type Rgb = readonly [number, number, number]

/**
 * Everything the renderer needs to know of biome, time and weather, as plain numbers, so that any two looks
 * can be mixed: that is how the world morphs when the words change. Colours are display values in 0..1.
 */
export interface Look {
  readonly skyTop: Rgb
  readonly skyHorizon: Rgb
  readonly glow: Rgb
  readonly sunColor: Rgb
  readonly ambient: Rgb
  readonly groundA: Rgb
  readonly groundB: Rgb
  readonly road: Rgb
  readonly line: Rgb
  readonly kerb: Rgb
  readonly hillNear: Rgb
  readonly hillFar: Rgb
  /** Sun (or moon) height above the horizon, radians. */
  readonly sunHeight: number
  readonly sunSize: number
  /** Height of the far hills and how pointed they are, 0..1. */
  readonly hillHeight: number
  readonly hillSharp: number
  /** Fog per metre. */
  readonly fog: number
  /** How much of the sky the fog or cloud covers, 0..1. */
  readonly overcast: number
  readonly stars: number
  readonly headlights: number
  readonly rain: number
  readonly flakes: number
  readonly wet: number
  /** Glowing cracks in the ground. */
  readonly lava: number
  /** Share of each biome, in the order of `BIOMES`: grows and shrinks its scenery. */
  readonly biome: readonly number[]
}

interface BiomeLook {
  groundA: Rgb
  groundB: Rgb
  road: Rgb
  kerb: Rgb
  hillNear: Rgb
  hillFar: Rgb
  hillHeight: number
  hillSharp: number
  lava: number
  tint: Rgb
}

const BIOME_LOOK: Record<Setting['biome'], BiomeLook> = {
  meadow: {
    groundA: [0.42, 0.72, 0.25],
    groundB: [0.33, 0.6, 0.2],
    road: [0.36, 0.37, 0.4],
    kerb: [0.93, 0.9, 0.82],
    hillNear: [0.36, 0.6, 0.34],
    hillFar: [0.5, 0.66, 0.62],
    hillHeight: 0.11,
    hillSharp: 0.05,
    lava: 0,
    tint: [1, 1, 1],
  },
  forest: {
    groundA: [0.22, 0.45, 0.22],
    groundB: [0.17, 0.37, 0.18],
    road: [0.3, 0.3, 0.32],
    kerb: [0.62, 0.5, 0.36],
    hillNear: [0.1, 0.28, 0.2],
    hillFar: [0.24, 0.42, 0.4],
    hillHeight: 0.17,
    hillSharp: 0.35,
    lava: 0,
    tint: [0.86, 1, 0.92],
  },
  desert: {
    groundA: [0.91, 0.7, 0.4],
    groundB: [0.85, 0.62, 0.33],
    road: [0.5, 0.43, 0.4],
    kerb: [0.98, 0.9, 0.7],
    hillNear: [0.8, 0.46, 0.27],
    hillFar: [0.86, 0.6, 0.45],
    hillHeight: 0.15,
    hillSharp: 0.75,
    lava: 0,
    tint: [1.06, 0.98, 0.86],
  },
  snow: {
    groundA: [0.93, 0.96, 1],
    groundB: [0.82, 0.88, 0.97],
    road: [0.45, 0.49, 0.57],
    kerb: [0.85, 0.25, 0.2],
    hillNear: [0.72, 0.8, 0.93],
    hillFar: [0.82, 0.88, 0.97],
    hillHeight: 0.22,
    hillSharp: 0.6,
    lava: 0,
    tint: [0.93, 0.98, 1.06],
  },
  volcano: {
    groundA: [0.36, 0.26, 0.27],
    groundB: [0.28, 0.2, 0.22],
    road: [0.4, 0.37, 0.4],
    kerb: [0.95, 0.45, 0.12],
    hillNear: [0.28, 0.16, 0.17],
    hillFar: [0.38, 0.2, 0.2],
    hillHeight: 0.25,
    hillSharp: 0.95,
    lava: 1,
    tint: [1.05, 0.82, 0.74],
  },
}

interface TimeLook {
  skyTop: Rgb
  skyHorizon: Rgb
  glow: Rgb
  sunColor: Rgb
  ambient: Rgb
  sunHeight: number
  sunSize: number
  stars: number
  headlights: number
}

const TIME_LOOK: Record<Setting['time'], TimeLook> = {
  dawn: {
    skyTop: [0.45, 0.58, 0.86],
    skyHorizon: [1, 0.78, 0.7],
    glow: [1, 0.66, 0.5],
    sunColor: [0.62, 0.42, 0.36],
    ambient: [0.56, 0.54, 0.64],
    sunHeight: 0.16,
    sunSize: 0.09,
    stars: 0,
    headlights: 0.1,
  },
  noon: {
    skyTop: [0.2, 0.5, 0.92],
    skyHorizon: [0.72, 0.88, 0.98],
    glow: [1, 0.98, 0.85],
    sunColor: [0.5, 0.48, 0.42],
    ambient: [0.62, 0.64, 0.66],
    sunHeight: 0.42,
    sunSize: 0.06,
    stars: 0,
    headlights: 0,
  },
  dusk: {
    skyTop: [0.26, 0.16, 0.44],
    skyHorizon: [0.98, 0.5, 0.24],
    glow: [1, 0.4, 0.16],
    sunColor: [0.66, 0.34, 0.18],
    ambient: [0.46, 0.34, 0.44],
    sunHeight: 0.1,
    sunSize: 0.12,
    stars: 0.1,
    headlights: 0.35,
  },
  night: {
    skyTop: [0.05, 0.07, 0.24],
    skyHorizon: [0.17, 0.22, 0.46],
    glow: [0.2, 0.24, 0.42],
    sunColor: [0.12, 0.14, 0.24],
    ambient: [0.28, 0.31, 0.5],
    sunHeight: 0.34,
    sunSize: 0.055,
    stars: 1,
    headlights: 1,
  },
}

interface WeatherLook {
  fog: number
  overcast: number
  dim: number
  rain: number
  flakes: number
  wet: number
  whiten: number
}

const WEATHER_LOOK: Record<Setting['weather'], WeatherLook> = {
  clear: { fog: 0.0032, overcast: 0, dim: 1, rain: 0, flakes: 0, wet: 0, whiten: 0 },
  rain: { fog: 0.0085, overcast: 0.75, dim: 0.82, rain: 1, flakes: 0, wet: 1, whiten: 0 },
  fog: { fog: 0.016, overcast: 0.9, dim: 0.94, rain: 0, flakes: 0, wet: 0.1, whiten: 0 },
  snowfall: { fog: 0.01, overcast: 0.7, dim: 0.9, rain: 0, flakes: 1, wet: 0, whiten: 0.28 },
}

function mix3(a: Rgb, b: Rgb, t: number): Rgb {
  return [lerp(a[0], b[0], t), lerp(a[1], b[1], t), lerp(a[2], b[2], t)]
}

function times3(a: Rgb, b: Rgb): Rgb {
  return [a[0] * b[0], a[1] * b[1], a[2] * b[2]]
}

function scale3(a: Rgb, k: number): Rgb {
  return [a[0] * k, a[1] * k, a[2] * k]
}

/** The look of one combination of biome, time and weather. */
export function lookOf(setting: Setting): Look {
  const b = BIOME_LOOK[setting.biome]
  const t = TIME_LOOK[setting.time]
  const w = WEATHER_LOOK[setting.weather]
  // Cloud takes its colour from the light there is: pale by day, violet at dusk, blue at night.
  const grey = (t.skyHorizon[0] + t.skyHorizon[1] + t.skyHorizon[2]) / 3
  const cloud = mix3([grey * 0.88, grey * 0.92, grey * 0.98], t.skyHorizon, 0.55)
  const clouded = (c: Rgb) => scale3(mix3(c, times3(cloud, b.tint), w.overcast), w.dim)
  const white: Rgb = [0.93, 0.95, 1]
  const ground = (c: Rgb) => scale3(mix3(c, white, w.whiten), 1 - 0.18 * w.wet)
  return {
    skyTop: clouded(times3(t.skyTop, b.tint)),
    skyHorizon: clouded(times3(t.skyHorizon, b.tint)),
    glow: scale3(t.glow, 1 - w.overcast),
    sunColor: scale3(t.sunColor, 1 - 0.8 * w.overcast),
    ambient: scale3(mix3(t.ambient, scale3([1, 1, 1], grey * 0.72 + 0.08), w.overcast * 0.6), w.dim),
    groundA: ground(b.groundA),
    groundB: ground(b.groundB),
    road: scale3(b.road, 1 - 0.3 * w.wet),
    line: [0.96, 0.95, 0.9],
    kerb: b.kerb,
    hillNear: b.hillNear,
    hillFar: b.hillFar,
    sunHeight: t.sunHeight,
    sunSize: t.sunSize,
    hillHeight: b.hillHeight,
    hillSharp: b.hillSharp,
    fog: w.fog,
    overcast: w.overcast,
    stars: t.stars * (1 - w.overcast),
    headlights: Math.min(1, t.headlights + (w.overcast > 0.5 ? 0.15 : 0)),
    rain: w.rain,
    flakes: w.flakes,
    wet: w.wet,
    lava: b.lava,
    biome: BIOMES.map((name) => (name === setting.biome ? 1 : 0)),
  }
}

/** `a` at t = 0, `b` at t = 1. */
export function mixLooks(a: Look, b: Look, t: number): Look {
  const entries = Object.keys(a).map((key) => {
    const from = a[key as keyof Look]
    const to = b[key as keyof Look]
    const value =
      typeof from === 'number' ? lerp(from, to as number, t) : from.map((x, i) => lerp(x, (to as Rgb)[i]!, t))
    return [key, value]
  })
  return Object.fromEntries(entries) as unknown as Look
}

/** Numbers in a look, in the order of its keys. */
export function lookToArray(look: Look): Float64Array {
  return Float64Array.from(Object.values(look).flat() as number[])
}

export function lookFromArray(values: Float64Array): Look {
  const shape = lookOf({ biome: 'meadow', time: 'noon', weather: 'clear' })
  let at = 0
  const entries = Object.entries(shape).map(([key, value]) => {
    if (typeof value === 'number') return [key, values[at++]!]
    const items = Array.from(values.subarray(at, at + value.length))
    at += value.length
    return [key, items]
  })
  return Object.fromEntries(entries) as unknown as Look
}
