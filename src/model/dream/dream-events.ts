import type { OneiroError } from '../../engine/errors'
import type { WorldInfo } from '../../engine/world'
import type { NoticeCode } from '../notices'

/** What happens to a dream beside its ticks; `message` is a sentence for the user. */
export type DreamEvent =
  | { readonly type: 'notice'; readonly code: NoticeCode; readonly message: string }
  /** The GPU device went away; recovery has begun and calls wait. */
  | { readonly type: 'device-lost'; readonly message: string }
  /** Play goes on at tick `tick`. */
  | { readonly type: 'recovered'; readonly tick: number; readonly message: string }
  /** Another backend computes from now on. */
  | { readonly type: 'backend'; readonly info: WorldInfo; readonly message: string }
  /** The worker did not answer; it is started anew from the last checkpoint. */
  | { readonly type: 'stalled'; readonly message: string }
  /** The dream cannot be brought back; every call fails with this error. */
  | { readonly type: 'failed'; readonly error: OneiroError; readonly message: string }

export type DreamListener = (event: DreamEvent) => void
