import type { DreamClient } from '../model/open'
import type { Place } from './params'
import type { RemoteDream, Server, WorldPort } from './worlds'

/** Where the dream can be computed: here, or on the server that was last named. */
export class Places {
  constructor(
    private readonly worlds: WorldPort,
    public server: Server | null,
    /** The server is gone for good; a sentence says why. */
    private readonly onLost: (sentence: string) => void,
  ) {}

  open(place: 'device'): Promise<DreamClient>
  open(place: Place): Promise<DreamClient | RemoteDream>
  open(place: Place): Promise<DreamClient | RemoteDream> {
    if (place === 'device') return this.worlds.dream()
    if (!this.server)
      throw new Error('No server was named. Give its address, for example ws://localhost:7700.')
    return this.worlds.remote(this.server, this.onLost)
  }

  /** True where `server` is the one that was last named. */
  isKnown(server: Server | null): boolean {
    return server?.url === this.server?.url && server?.token === this.server?.token
  }

  /** Gives the seat up. */
  leave(): Promise<void> {
    return this.worlds.dropRemote()
  }
}
