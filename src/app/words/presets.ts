import type { Preset } from '../store'

/**
 * Words offered before (or without) a dream: the simulator reads them itself. A dream brings its own presets in its
 * manifest, whose embeddings ship with it, and these give way.
 */
export const PLAIN_PRESETS: readonly Preset[] = [
  { id: 'meadow-noon', text: 'green meadows at noon' },
  { id: 'snow-night', text: 'a snowy night drive' },
  { id: 'forest-fog', text: 'foggy morning in the woods' },
  { id: 'desert-dusk', text: 'desert road at sunset' },
  { id: 'volcano-night', text: 'lava fields at night' },
  { id: 'forest-rain', text: 'rainy evening in the forest' },
  { id: 'snow-dawn', text: 'a snowy land at dawn' },
]
