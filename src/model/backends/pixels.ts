import type { Pixels } from '../../engine/world'

/** RGBA bytes of a frame [H,W,4] of floats in 0..1: each is floor(clamp(x) * 255 + 0.5), everywhere. */
export function pixelsOf(frame: Float32Array, width: number, height: number): Pixels {
  const data = new Uint8ClampedArray(width * height * 4)
  for (let i = 0; i < data.length; i++) {
    // Truncation after adding a half is floor here, because the clamp of the array catches what is negative.
    data[i] = (frame[i]! * 255 + 0.5) | 0
  }
  return { width, height, data }
}
