import { describe, expect, it } from 'vitest'
import { type Motion, type MotionEvent, next, wished } from './motion'

const STOPPED: Motion = { is: 'stopped' }
const PLAYING: Motion = { is: 'playing' }
const paused = (by: 'user' | 'away' | 'scrub') => ({ is: 'paused', by }) as const
const PAUSE: MotionEvent = { type: 'pause', by: 'user' }

/** What each event makes of each state that nothing holds: a row a state, a column an event. */
const TABLE: [Exclude<Motion, { is: 'held' }>, Partial<Record<MotionEvent['type'], Motion>>][] = [
  [
    { is: 'stopped' },
    { play: PLAYING, pause: STOPPED, step: paused('user'), back: STOPPED, settle: STOPPED, fault: STOPPED },
  ],
  [
    { is: 'playing' },
    {
      play: PLAYING,
      pause: paused('user'),
      step: paused('user'),
      back: PLAYING,
      settle: PLAYING,
      fault: STOPPED,
    },
  ],
  [
    paused('user'),
    {
      play: PLAYING,
      pause: paused('user'),
      step: paused('user'),
      back: paused('user'),
      settle: paused('user'),
      fault: paused('user'),
    },
  ],
  [
    paused('away'),
    {
      play: PLAYING,
      pause: paused('away'),
      step: paused('user'),
      back: PLAYING,
      settle: paused('away'),
      fault: paused('away'),
    },
  ],
  [
    paused('scrub'),
    {
      play: PLAYING,
      pause: paused('scrub'),
      step: paused('user'),
      back: paused('scrub'),
      settle: paused('user'),
      fault: paused('scrub'),
    },
  ],
]

describe('a drive that nothing holds', () => {
  for (const [from, row] of TABLE)
    for (const [type, to] of Object.entries(row))
      it(`${JSON.stringify(from)}, ${type}`, () => {
        const event = type === 'pause' ? PAUSE : ({ type, from: 'away' } as MotionEvent)
        expect(next(from, event)).toEqual(to)
        expect(next(from, { type: 'release' })).toBe(from)
      })
})

it('goes on from the scrubber when that is let go of, and not for the focus', () => {
  expect(next(paused('scrub'), { type: 'back', from: 'scrub' })).toEqual(PLAYING)
  expect(next(paused('away'), { type: 'back', from: 'scrub' })).toEqual(paused('away'))
})

describe('a drive that is held', () => {
  for (const [then, row] of TABLE)
    for (const [type, to] of Object.entries(row))
      if (type === 'fault')
        it(`cannot fail: ${JSON.stringify(then)}`, () => {
          const held = next(then, { type: 'hold' })
          expect(next(held, { type: 'fault' })).toBe(held)
        })
      else
        it(`goes on as if it had heard by then: ${JSON.stringify(then)}, ${type}`, () => {
          const event = type === 'pause' ? PAUSE : ({ type, from: 'away' } as MotionEvent)
          const held = next(then, { type: 'hold' })
          expect(held).toEqual({ is: 'held', after: then })
          expect(next(held, { type: 'hold' })).toBe(held)
          const after = next(held, event)
          expect(after.is).toBe('held')
          expect(wished(after)).toEqual(to)
          expect(next(after, { type: 'release' })).toEqual(to)
        })
})
