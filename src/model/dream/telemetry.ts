import type { Telemetry } from '../../engine/world'
import type { WorldShape } from '../assets/manifest'

/** What the instruments read at a latent [T,C], in the units of the manifest; undefined where the world has none. */
export function telemetryIn(
  latent: Float32Array,
  { telemetry, tokens, channels }: Pick<WorldShape, 'telemetry' | 'tokens' | 'channels'>,
): Telemetry | undefined {
  if (!telemetry) return undefined
  const first = (tokens - Math.ceil(telemetry.length / channels)) * channels
  return Object.fromEntries(
    telemetry.map(({ name, centre, spread }, i) => [name, centre + spread * latent[first + i]!]),
  )
}
