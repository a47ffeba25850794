import type { TimeSource } from '../../engine/clock'
import type { OneiroError } from '../../engine/errors'
import type { Mode } from '../protocol/messages'
import type { SocketConstructor } from './link'
import type { PacerStats } from './pacer'
import type { Pictures } from './pictures'

export interface RemoteWorldOptions {
  /** Address of the server, `ws://` or `wss://`. The other workers of its group are found through it. */
  readonly url: string
  /** `WebSocket` of the browser, or of `ws`. */
  readonly WebSocket: SocketConstructor
  /** Owned by the world from now on. */
  readonly pictures: Pictures
  /** Default `lockstep`. */
  readonly mode?: Mode
  /** Opens the server, where it asks for one. */
  readonly token?: string
  /** A seat kept by `POST /seats`, instead of the token. */
  readonly seat?: string
  readonly time?: TimeSource
  /** Uniform in [0, 1), for the pauses between tries to connect. */
  readonly random: () => number
  readonly onEvent?: (event: RemoteEvent) => void
}

/** What happens to a remote world beside its ticks; `message` is a sentence for the user. */
export type RemoteEvent =
  /** The server is full. */
  | { readonly type: 'waiting'; readonly position: number; readonly message: string }
  /** The connection is gone; calls wait for another. */
  | { readonly type: 'disconnected'; readonly message: string }
  /** Play goes on. Held keys were released: clear the input source. */
  | { readonly type: 'reconnected'; readonly message: string }
  /** It could not be had again; every call fails with this error. */
  | { readonly type: 'failed'; readonly error: OneiroError; readonly message: string }

export interface RemoteStats extends PacerStats {
  readonly reconnects: number
  /** Frames that the server did not send, because three were unacknowledged. */
  readonly skipped: number
  /** From input to frame, by this client's clock, of the newest frame; milliseconds. */
  readonly latencyMs: number
  readonly roundTripMs: number
  /** Connections to the session; more than one where packets get lost. */
  readonly connections: number
  /** Payload of the newest frame. */
  readonly frameBytes: number
}
