import { z } from '../../src/engine/schema'
import type { Snapshot } from '../../src/engine/world'
import { snapshotBody } from '../../src/net/protocol/messages'
import { pack, unpack } from '../../src/net/protocol/pack'

const bytes = z.custom<Uint8Array>((value) => value instanceof Uint8Array)

const count = z.int().check(z.nonnegative())

const savedBody = z.object({
  /** Null before the first reset. */
  snapshot: z.nullable(snapshotBody),
  epoch: count,
  /** The newest request that the snapshot has in it. */
  request: count,
  /** The newest requests' answers, as they were sent: who asks again is told the same. */
  answers: z.array(z.tuple([z.int().check(z.positive()), bytes])),
})

/** Where a session is: all that another worker needs to go on with it. */
export interface Saved {
  readonly snapshot: Snapshot | null
  readonly epoch: number
  readonly request: number
  readonly answers: readonly (readonly [request: number, answer: Uint8Array])[]
}

/** A session that nothing was written down of. */
export const NOTHING_SAVED: Saved = { snapshot: null, epoch: 0, request: 0, answers: [] }

/** As the directory keeps it. */
export function encodeSaved(saved: Saved): Uint8Array {
  return pack(saved)
}

/** Throws where the bytes are none of `encodeSaved`, as those of another build may be. */
export function decodeSaved(saved: Uint8Array): Saved {
  return savedBody.parse(unpack(saved))
}
