import type { Telemetry } from '../../engine/world'
import { OFF_ROAD, ROAD_HALF_WIDTH } from './track'

/** From these curvatures on, 1/m, a bend is worth a word, and a sharp one. */
const BEND = 1 / 450
const SHARP = 1 / 170

/** The drive in a sentence, for a person who does not see it: speed, the bend ahead, the place on the road. */
export function describeDrive(telemetry: Telemetry | null): string | null {
  const { speed, offset, bendNear, bendMiddle } = telemetry ?? {}
  if (![speed, offset, bendNear, bendMiddle].every(Number.isFinite)) return null
  const pace = Math.round((speed! * 3.6) / 10) * 10
  return `${pace > 0 ? `${pace} km/h` : 'Standing'}, ${bendWord((bendNear! + bendMiddle!) / 2)}, ${placeWord(offset!)}.`
}

function bendWord(curvature: number): string {
  const size = Math.abs(curvature)
  if (size < BEND) return 'the road is straight'
  return `${size < SHARP ? 'a' : 'a sharp'} bend to the ${curvature < 0 ? 'left' : 'right'}`
}

function placeWord(offset: number): string {
  const away = Math.abs(offset)
  const side = offset < 0 ? 'left' : 'right'
  if (away > OFF_ROAD) return `off the road on the ${side}`
  if (away > ROAD_HALF_WIDTH - 2) return `close to the ${side} edge`
  return 'on the road'
}
