import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { type SessionEvent, type SessionState, transition } from './session-states'

const EVENTS: SessionEvent[] = ['welcomed', 'dropped', 'resumed', 'left', 'expired', 'ended']

function live(...events: SessionEvent[]) {
  let state: SessionState = 'connecting'
  const effects: string[] = []
  for (const event of events) {
    const next = transition(state, event)
    state = next.state
    effects.push(...next.effects)
  }
  return { state, effects }
}

describe('the life of a session', () => {
  it('takes a seat when it is welcomed', () => {
    expect(live('welcomed')).toEqual({ state: 'active', effects: ['take-seat'] })
  })

  it('waits for its client when the connection drops, with no key held', () => {
    expect(live('welcomed', 'dropped')).toEqual({
      state: 'detached',
      effects: ['take-seat', 'release-keys'],
    })
  })

  it('goes on when its client comes back', () => {
    expect(live('welcomed', 'dropped', 'resumed').state).toBe('active')
  })

  it('leaves a dead connection for a new one', () => {
    const { state, effects } = live('welcomed', 'resumed')
    expect(state).toBe('active')
    expect(effects).toContain('drop-connection')
  })

  it('is freed when nobody comes back', () => {
    const { state, effects } = live('welcomed', 'dropped', 'expired')
    expect(state).toBe('closed')
    expect(effects).toContain('free')
  })

  it('frees nothing where it never had a seat', () => {
    expect(live('dropped')).toEqual({ state: 'closed', effects: [] })
    expect(live('left').effects).toEqual(['drop-connection'])
  })

  it('cannot expire while its client is there', () => {
    expect(live('welcomed', 'expired').state).toBe('active')
  })
})

test('whatever happens: closed is the end, and a seat that was taken is freed once', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...EVENTS), { maxLength: 30 }), (events) => {
      const { state, effects } = live(...events)
      const taken = effects.filter((effect) => effect === 'take-seat').length
      const freed = effects.filter((effect) => effect === 'free').length
      expect(taken).toBeLessThanOrEqual(1)
      expect(freed).toBe(state === 'closed' ? taken : 0)
      expect(live(...events, 'ended').state).toBe('closed')
      expect(live(...events, 'ended', 'welcomed', 'resumed').state).toBe('closed')
    }),
  )
})
