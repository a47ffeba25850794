/**
 * Arithmetic for the simulator's state. Only +, -, *, / and integer operations are used, since those give
 * the same bits in every engine, which `Math.sin` and its kin do not promise.
 */

const TAU = 6.283185307179586

/** Sine of `x` radians, error below 1e-7, the same bits everywhere. */
export function sin(x: number): number {
  let r = x - TAU * Math.floor(x / TAU + 0.5)
  if (r > TAU / 4) r = TAU / 2 - r
  else if (r < -TAU / 4) r = -TAU / 2 - r
  const q = r * r
  return (
    r *
    (1 +
      q *
        (-1 / 6 + q * (1 / 120 + q * (-1 / 5040 + q * (1 / 362880 + q * (-1 / 39916800 + q / 6227020800))))))
  )
}

export function cos(x: number): number {
  return sin(x + TAU / 4)
}

export function clamp(x: number, low: number, high: number): number {
  return Math.min(Math.max(x, low), high)
}

export function lerp(a: number, b: number, t: number): number {
  return a + (b - a) * t
}

/** Cubic ease from 0 to 1 while `x` goes from `low` to `high`. */
export function smoothstep(low: number, high: number, x: number): number {
  const t = clamp((x - low) / (high - low), 0, 1)
  return t * t * (3 - 2 * t)
}

/** Uniform in [0, 1) as a pure function of three integers (murmur3's mixer). */
export function hash01(seed: number, index: number, salt: number): number {
  let h =
    Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(index | 0, 0xc2b2ae35) ^ Math.imul(salt, 0x27d4eb2f)
  h ^= Math.floor(seed / 0x100000000)
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  h = Math.imul(h ^ (h >>> 16), 0x7feb352d)
  return ((h ^ (h >>> 15)) >>> 8) / 0x1000000
}

/** Smooth noise in [-1, 1] along `x` with one knot a unit. */
export function noise1(seed: number, x: number, salt: number): number {
  const i = Math.floor(x)
  const f = x - i
  const t = f * f * (3 - 2 * f)
  return lerp(hash01(seed, i, salt), hash01(seed, i + 1, salt), t) * 2 - 1
}
