import type { Telemetry } from '../../engine/world'

/** What a drive sounds like, each from 0 to 1. */
export interface Ambience {
  /** How fast the engine turns, and how hard it works. */
  readonly revs: number
  readonly load: number
  readonly wind: number
  readonly rain: number
}

/** m/s from one gear to the next, and at which wind is all that one hears. */
const GEAR = 8
const STORM = 38

/** The sound of what the instruments read, in the weather that was heard. Null where they tell of no drive. */
export function ambienceOf(
  telemetry: Telemetry | null,
  heard: Readonly<Record<string, string>>,
): Ambience | null {
  const { speed, pitch } = telemetry ?? {}
  if (speed === undefined || !Number.isFinite(speed)) return null
  const v = Math.max(0, speed)
  const gear = Math.min(3, Math.floor(v / GEAR))
  const inGear = Math.min(1, (v - gear * GEAR) / GEAR)
  const weather = heard.weather ?? ''
  const blowing = weather === 'snowfall' ? 0.25 : weather === 'rain' ? 0.12 : 0
  return {
    revs: Math.min(1, (gear === 0 ? 0.12 : 0.38) + inGear * (gear === 0 ? 0.5 : 0.34) + gear * 0.06),
    load: Math.min(1, Math.max(0, pitch ?? 0.4)),
    wind: Math.min(1, (v / STORM) ** 1.5 + blowing),
    rain: weather === 'rain' ? 1 : 0,
  }
}
