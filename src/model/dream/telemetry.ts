import { float16 } from '../../engine/float16'
import type { Snapshot, Telemetry } from '../../engine/world'
import type { Manifest, WorldShape } from '../assets/manifest'

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

/** What the instruments read at a snapshot of a dream; undefined where the world has none, or the snapshot no latents. */
export function telemetryAt(
  { state }: Snapshot,
  { telemetry, latent: { tokens, channels } }: Pick<Manifest, 'telemetry' | 'latent'>,
): Telemetry | undefined {
  const { latents, halfLatents } = state
  const length = tokens * channels
  const newest = halfLatents
    ? Float32Array.from(halfLatents.subarray(0, length), float16)
    : (latents as Float32Array | undefined)
  if (!newest || newest.length < length) return undefined
  return telemetryIn(newest, { telemetry, tokens, channels })
}
