import { curvature } from './track'

export interface RoadPoint {
  readonly x: number
  readonly z: number
  /** Heading relative to the start of the frame, radians, right positive. */
  readonly yaw: number
}

const STEP = 2

/**
 * The stretch of road in view, laid out on the plane: x to the right, -z ahead. It starts at arc length
 * `start` and is turned so that the road at `origin` (where the car's frame is) heads along -z.
 */
export class RoadFrame {
  private readonly xs: Float64Array
  private readonly zs: Float64Array
  private readonly yaws: Float64Array

  constructor(
    seed: number,
    private readonly start: number,
    length: number,
    origin: number = start + 11.2,
  ) {
    const n = Math.ceil(length / STEP) + 2
    this.xs = new Float64Array(n)
    this.zs = new Float64Array(n)
    this.yaws = new Float64Array(n)
    let yaw = 0
    for (let i = 1; i < n; i++) {
      const middle = yaw + curvature(seed, start + (i - 0.5) * STEP) * STEP * 0.5
      this.xs[i] = this.xs[i - 1]! + Math.sin(middle) * STEP
      this.zs[i] = this.zs[i - 1]! - Math.cos(middle) * STEP
      yaw += curvature(seed, start + (i - 0.5) * STEP) * STEP
      this.yaws[i] = yaw
    }
    this.turn(this.at(origin, 0).yaw)
  }

  /** The point at arc length `s` metres and lateral offset `d` metres; clamped to the stretch. */
  at(s: number, d: number): RoadPoint {
    const t = Math.min(Math.max((s - this.start) / STEP, 0), this.xs.length - 1.001)
    const i = Math.floor(t)
    const f = t - i
    const yaw = this.yaws[i]! * (1 - f) + this.yaws[i + 1]! * f
    return {
      x: this.xs[i]! * (1 - f) + this.xs[i + 1]! * f + Math.cos(yaw) * d,
      z: this.zs[i]! * (1 - f) + this.zs[i + 1]! * f + Math.sin(yaw) * d,
      yaw,
    }
  }

  private turn(yaw: number): void {
    const c = Math.cos(-yaw)
    const s = Math.sin(-yaw)
    for (let i = 0; i < this.xs.length; i++) {
      const x = this.xs[i]!
      const z = this.zs[i]!
      this.xs[i] = x * c - z * s
      this.zs[i] = x * s + z * c
      this.yaws[i]! -= yaw
    }
  }
}
