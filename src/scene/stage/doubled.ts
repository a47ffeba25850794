import type { Pixels } from '../../engine/world'

/** Mitchell and Netravali's filter (B = C = 1/3) at the distances 1.75, 0.75, 0.25 and 1.25, in 256ths. */
const TAPS = [-4, 66, 200, -6] as const

/**
 * A frame of twice the size, for a browser to enlarge further: what it does by itself, bilinearly, shows every pixel as a
 * star. Two passes over a small frame, since the processor dreams as well.
 */
export class Doubled {
  private tall = new Float32Array(0)
  image = new ImageData(1, 1)

  draw({ width, height, data }: Pixels): ImageData {
    if (this.image.width !== width * 2 || this.image.height !== height * 2) {
      this.tall = new Float32Array(width * height * 8)
      this.image = new ImageData(width * 2, height * 2)
      this.image.data.fill(255)
    }
    stretch(data, this.tall, height, width * 4, width, 4)
    stretch(this.tall, this.image.data, width, 4, height * 2, width * 4)
    return this.image
  }
}

/** Doubles along one axis: `count` samples `step` apart, in each of `lines` that lie `pitch` apart. Three channels. */
function stretch(
  from: ArrayLike<number>,
  to: Float32Array | Uint8ClampedArray,
  count: number,
  step: number,
  lines: number,
  pitch: number,
): void {
  // Along a row the lines of the result are twice as far apart; along a column its samples are.
  const along = step === 4
  const toPitch = along ? pitch * 2 : pitch
  const [far, left, right, near] = TAPS.map((tap) => tap / 256) as [number, number, number, number]
  for (let i = 0; i < count; i++) {
    const a = Math.max(i - 2, 0) * step
    const b = Math.max(i - 1, 0) * step
    const c = i * step
    const d = Math.min(i + 1, count - 1) * step
    const e = Math.min(i + 2, count - 1) * step
    for (let line = 0; line < lines; line++) {
      const at = line * pitch
      const out = line * toPitch + 2 * c
      for (let k = at; k < at + 3; k++) {
        const middle = right * from[c + k]!
        const low = far * from[a + k]! + left * from[b + k]! + middle + near * from[d + k]!
        const high = far * from[e + k]! + left * from[d + k]! + middle + near * from[b + k]!
        to[out + k - at] = low
        to[out + step + k - at] = high
      }
    }
  }
}
