import type { Tick, World } from '../engine/world'
import type { Driver } from './driver'

/** Ticks between two questions to a GPU. */
const EVERY = 4

/**
 * Shows the driver what the instruments read: with every tick that carries them; else, as it has to come back from a GPU,
 * now and then while they are needed, and later than the tick.
 */
export class TelemetryFeed {
  private asking = false

  constructor(private readonly driver: Pick<Driver, 'see' | 'cruise'>) {}

  hear(tick: Tick, world: Pick<World, 'readTelemetry'>): void {
    if (tick.telemetry || tick.frame) {
      this.driver.see(tick.telemetry ?? null)
      return
    }
    if (!this.driver.cruise || this.asking || tick.index % EVERY !== 0) return
    this.asking = true
    const read = world.readTelemetry().catch(() => null) // whoever steps next hears what is wrong
    void read.then((telemetry) => {
      this.asking = false
      this.driver.see(telemetry)
    })
  }
}
