import type { Past } from '../../engine/timeline'
import type { Snapshot, World } from '../../engine/world'
import type { Manifest } from '../../model/open'
import type { RemoteStats } from '../../net/client/remote-options'

/** A dream on a server, as the player uses it. */
export interface RemoteDream extends World, Past {
  readonly manifest: Manifest | null
  readonly stats: RemoteStats | null
  /** Lost for good; `OnLost` was told, or will be. */
  readonly gone: boolean
  /** Resolves once the server does not answer, with what was last seen of the drive; null where nothing was. */
  whenSilent(): Promise<Snapshot | null>
  setMode(mode: 'lockstep' | 'realtime'): Promise<void>
}
