import { describe, expect, it, vi } from 'vitest'
import { BadInputError } from '../../engine/errors'
import { FakeWorld } from '../../engine/testing/fake-world'
import { Timeline } from '../../engine/timeline'
import type { Snapshot, Tick } from '../../engine/world'
import { SideBySide } from './side-by-side'

function sideBySide() {
  const first = new FakeWorld({ modelHash: 'a' })
  const second = new FakeWorld({ modelHash: 'b' })
  const seconds: Tick[] = []
  const timeline = new Timeline(first, { every: 5 })
  const world = new SideBySide(timeline, second, (tick) => seconds.push(tick))
  return { first, second, seconds, timeline, world }
}

describe('SideBySide', () => {
  it('steps both worlds under the same seed, action and prompt', async () => {
    const { world, seconds } = sideBySide()
    await world.reset({ seed: 3 })
    await world.setPrompt('fog')
    const tick = await world.step({ slide: 1, light: 1 })
    expect(tick.index).toBe(1)
    expect(seconds.map((t) => t.index)).toEqual([0, 1])
    expect(seconds[1]?.frame).toEqual(tick.frame)
  })

  it('begins the second where its words are, where the start is one of the first alone', async () => {
    const { world, first, second } = sideBySide()
    vi.spyOn(first, 'reset')
    const reset = vi.spyOn(second, 'reset')
    reset.mockRejectedValueOnce(new BadInputError('No start is called "here".'))
    expect((await world.reset({ seed: 3, prompt: 'fog', start: 'here' })).index).toBe(0)
    expect(reset).toHaveBeenLastCalledWith({ seed: 3, prompt: 'fog', start: undefined })
    await expect(world.reset({ seed: -1 })).rejects.toThrow('-1')
  })

  it('round-trips the state of both', async () => {
    const { world, seconds } = sideBySide()
    await world.reset({ seed: 3 })
    await world.step({ slide: 1, light: 0 })
    const snapshot = await world.snapshot()
    const ahead = await world.step({ slide: -1, light: 1 })
    await world.restore(snapshot)
    const again = await world.step({ slide: -1, light: 1 })
    expect(again.frame).toEqual(ahead.frame)
    expect(seconds.at(-1)?.frame).toEqual(ahead.frame)
  })

  it('refuses the snapshot of one world alone', async () => {
    const { world, first } = sideBySide()
    await world.reset({ seed: 3 })
    const alone = await first.snapshot()
    await expect(world.restore(alone)).rejects.toThrow(/snapshot's model is a/)
  })

  it('goes back with both to their own states of then, and to one like the first where the second has none', async () => {
    const { world, timeline, second, seconds } = sideBySide()
    await world.reset({ seed: 3 })
    for (let i = 0; i < 30; i++) await world.step({ slide: i % 2 ? 1 : -1, light: 1 })
    const before = seconds[10]?.frame
    expect((await world.seek(10)).index).toBe(10)
    expect(seconds.at(-1)).toMatchObject({ index: 10, frame: before })
    await world.step({ slide: 0, light: 0 })
    expect((await second.snapshot()).tick).toBe(11)

    const other: Snapshot = await second.snapshot()
    const joined = new SideBySide(
      timeline,
      second,
      (tick) => seconds.push(tick),
      ({ tick }) => ({ ...other, tick }),
    )
    await joined.join([{ ...other, tick: 11 }])
    expect(seconds.at(-1)?.index).toBe(11)
    await joined.seek(5)
    expect(seconds.at(-1)?.index).toBe(5)
    expect(joined.secondStates.map(({ tick }) => tick)).toEqual([5])
    expect(joined.range).toEqual({ from: 0, to: 11 })
  })

  it('passes on the error of either world after both have stepped', async () => {
    const { world, first, second } = sideBySide()
    await world.reset({ seed: 3 })
    second.failNextStep(new Error('lost'))
    await expect(world.step({ slide: 0, light: 0 })).rejects.toThrow('lost')
    expect(first.calls.at(-1)).toBe('step')
  })
})
