import type { DreamClient } from '../model/open'
import type { Place } from './params'
import type { OnLost, RemoteDream, Server, WorldPort } from './worlds'

/** Ticks in slow motion after which a device that knows a server hands the drive over. */
const SLOW_TICKS = 60

/** Where the dream can be computed: here, or on the server that was last named. */
export class Places {
  private slowTicks = 0
  private movedBySlowness = false

  constructor(
    private readonly worlds: WorldPort,
    public server: Server | null,
    private readonly onLost: OnLost,
  ) {}

  open(place: 'device'): Promise<DreamClient>
  open(place: Place): Promise<DreamClient | RemoteDream>
  open(place: Place): Promise<DreamClient | RemoteDream> {
    if (place === 'device') return this.worlds.dream()
    if (!this.server)
      throw new Error('No server was named. Give its address, for example ws://localhost:7700.')
    return this.worlds.remote(this.server, this.onLost)
  }

  /**
   * Heard once a tick on this device: true once, where it has been slow for long and a server is known. Who comes back by
   * hand is not sent away again.
   */
  tooSlow(slow: boolean): boolean {
    this.slowTicks = slow ? this.slowTicks + 1 : 0
    if (this.slowTicks < SLOW_TICKS || !this.server || this.movedBySlowness) return false
    this.movedBySlowness = true
    return true
  }

  /** Gives the seat up. */
  leave(): Promise<void> {
    return this.worlds.dropRemote()
  }
}
