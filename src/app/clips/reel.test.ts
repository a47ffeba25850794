import { expect, it } from 'vitest'
import type { LoopEvent } from '../../engine/loop'
import type { Pixels } from '../../engine/world'
import { FADE_TICKS, LOOP_TICKS, loopOf, Reel } from './reel'

/** A frame that can be told by its number. */
const frame = (n: number) => ({ width: n, height: 1, data: new Uint8ClampedArray(0) }) as Pixels
const event = (type: 'tick' | 'begin', n: number | null) =>
  ({ type, tick: { index: n ?? 0, epoch: 1, frame: n === null ? null : frame(n), timings: {} } }) as LoopEvent

it('keeps the last frames, and none from before a jump or from a GPU', () => {
  const reel = new Reel()
  reel.hear(event('begin', 0))
  for (let n = 1; n <= 500; n++) reel.hear(event('tick', n))
  expect(reel.last).toHaveLength(LOOP_TICKS + FADE_TICKS)
  expect(reel.last.at(-1)?.width).toBe(500)
  reel.hear(event('begin', 7))
  expect(reel.last.map(({ width }) => width)).toEqual([7])
  reel.hear(event('begin', null))
  reel.hear(event('tick', null))
  expect(reel.last).toEqual([])
})

it('makes a loop of eight seconds whose end fades into what came before its beginning', () => {
  const cuts = loopOf(Array.from({ length: LOOP_TICKS + FADE_TICKS }, (_, n) => frame(n)))
  expect(cuts).toHaveLength(LOOP_TICKS)
  expect(cuts[0]).toMatchObject({ frame: { width: FADE_TICKS }, over: null, share: 0 })
  // The last frame is nearly that before the first.
  expect(cuts.at(-1)!.over!.width).toBe(FADE_TICKS - 1)
  expect(cuts.at(-1)!.share).toBeCloseTo(FADE_TICKS / (FADE_TICKS + 1))
  expect(cuts.filter(({ over }) => over)).toHaveLength(FADE_TICKS)
  expect(loopOf([frame(0), frame(1), frame(2)])).toHaveLength(3)
})
