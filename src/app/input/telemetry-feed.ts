import type { Tick, World } from '../../engine/world'
import type { Driver } from './driver'

/** Ticks between two questions to a GPU. */
const EVERY = 4

/**
 * Shows the driver what the instruments read: with every tick that carries them; else, as it has to come back from a GPU,
 * now and then where somebody reads them, and later than the tick.
 */
export class TelemetryFeed {
  private asking = false
  private epoch = -1

  constructor(private readonly driver: Pick<Driver, 'see' | 'hasAutopilot'>) {}

  hear(tick: Tick, world: Pick<World, 'readTelemetry'>): void {
    this.epoch = tick.epoch
    if (tick.telemetry || tick.frame) {
      this.driver.see(tick.telemetry ?? null, tick.index)
      return
    }
    if (!this.driver.hasAutopilot || this.asking || tick.index % EVERY !== 0) return
    this.asking = true
    const read = world.readTelemetry().catch(() => null) // whoever steps next hears what is wrong
    void read.then((telemetry) => {
      this.asking = false
      // The drive may have gone elsewhere meanwhile.
      if (tick.epoch === this.epoch) this.driver.see(telemetry, tick.index)
    })
  }
}
