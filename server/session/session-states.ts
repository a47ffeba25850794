/**
 * The life of a session as a table: pure and synchronous. Timers, sockets and the engine listen to it.
 *
 *     connecting --welcomed--> active --dropped--> detached --resumed--> active
 *         |                      |                     |
 *         +--refused, dropped----+--left, ended--------+--expired, ended--> closed
 */
export type SessionState = 'connecting' | 'active' | 'detached' | 'closed'

export type SessionEvent =
  /** A seat was free. */
  | 'welcomed'
  /** The connection is gone. */
  | 'dropped'
  /** Another connection brought the session's token. */
  | 'resumed'
  /** The client said bye. */
  | 'left'
  /** Nobody came back in time. */
  | 'expired'
  /** The server has no use for it any more: it drains, or the session broke a rule. */
  | 'ended'

export type Effect = 'take-seat' | 'release-keys' | 'drop-connection' | 'free'

export interface Transition {
  readonly state: SessionState
  readonly effects: readonly Effect[]
}

const TABLE: Record<SessionState, Partial<Record<SessionEvent, Transition>>> = {
  connecting: {
    welcomed: { state: 'active', effects: ['take-seat'] },
    dropped: { state: 'closed', effects: [] },
    left: { state: 'closed', effects: ['drop-connection'] },
    ended: { state: 'closed', effects: ['drop-connection'] },
  },
  active: {
    dropped: { state: 'detached', effects: ['release-keys'] },
    // The server may notice a dead connection later than its client does.
    resumed: { state: 'active', effects: ['drop-connection', 'release-keys'] },
    left: { state: 'closed', effects: ['drop-connection', 'free'] },
    ended: { state: 'closed', effects: ['drop-connection', 'free'] },
  },
  detached: {
    resumed: { state: 'active', effects: [] },
    expired: { state: 'closed', effects: ['free'] },
    ended: { state: 'closed', effects: ['free'] },
  },
  closed: {},
}

/** What an event does in a state. An event that the table does not have for it changes nothing. */
export function transition(state: SessionState, event: SessionEvent): Transition {
  return TABLE[state][event] ?? { state, effects: [] }
}
