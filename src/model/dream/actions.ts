import { type Action, spaceOf } from '../../engine/controls'
import type { Manifest } from '../assets/manifest'

type Described = Pick<Manifest, 'controls' | 'actions'>

/** Writes an action [D] as this world's student is told it. Throws `BadInputError` where it is none. */
export function encodeAction({ controls, actions }: Described, action: Action, out: Float32Array): void {
  const space = spaceOf(controls)
  space.check(action)
  space.encode(action, actions.encoding, out)
}

/** The action [D] of a tick in which nothing is held. */
export function idleAction(manifest: Described): Float32Array {
  const out = new Float32Array(manifest.actions.dims)
  encodeAction(manifest, spaceOf(manifest.controls).idle, out)
  return out
}

/** The largest number that a student is told of an action, without its sign. */
export function largestAction({ controls, actions }: Described): number {
  if (actions.encoding === 'one-hot') return 1
  return Math.max(...spaceOf(controls).moves.map(({ value }) => Math.abs(value)))
}
