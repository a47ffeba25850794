import type { Telemetry } from '../../engine/world'
import { doneOf, type Reading } from './telemetry'
import { OFF_ROAD } from './track'

/** Ticks beside the road after which a drive has broken: a second. */
const ASTRAY_TICKS = 20
/** From the middle of the road, metres: here all is well. */
const WELL = 4

/** Watches by the instruments whether the car is on its road. A drive has broken after a second beside it, or where it is done. */
export class RoadWatch {
  /** Once the drive has broken: the last tick at which the car was well on its road. Null while it has not. */
  wellBefore: number | null = null
  private wellAt: number | null = null
  private offSince: number | null = null
  private lastTick = 0

  see(telemetry: Telemetry | null, tick: number): void {
    if (tick < this.lastTick) this.goBack(tick)
    this.lastTick = tick
    const offset = Math.abs(telemetry?.offset ?? Number.NaN)
    if (Number.isNaN(offset)) {
      this.offSince = this.wellBefore = null
      return
    }
    if (offset < WELL) this.wellAt = tick
    this.offSince = offset > OFF_ROAD ? (this.offSince ?? tick) : null
    const astray = this.offSince !== null && tick - this.offSince >= ASTRAY_TICKS
    this.wellBefore = astray || doneOf(telemetry as Reading) ? (this.wellAt ?? tick) : null
  }

  /** The drive is at an earlier tick, or another one begins. */
  private goBack(tick: number): void {
    this.offSince = null
    if (this.wellAt !== null && this.wellAt > tick) this.wellAt = null
  }
}
