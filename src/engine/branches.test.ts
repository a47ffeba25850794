import { describe, expect, it } from 'vitest'
import { hashPixels } from './frame-hash'
import { replay } from './replay'
import { ACTIONS, FakeWorld, type FakeWorldOptions } from './testing/fake-world'
import { type Branch, Timeline } from './timeline'

async function setup(options: FakeWorldOptions = {}) {
  const branches: Branch[] = []
  const timeline = new Timeline(new FakeWorld(options), {
    every: 10,
    onBranch: (branch) => branches.push(branch),
  })
  await timeline.reset({ seed: 3 })
  const go = async (count: number, action = 0) => {
    for (let i = 0; i < count; i++) await timeline.step(ACTIONS[action]!)
  }
  const now = async () => hashPixels(await timeline.readPixels())
  return { timeline, branches, go, now }
}

describe('a future that was left', () => {
  it.each([false, true])(
    'is told with its picture once another takes its place, frames on a GPU: %s',
    async (framesOnGpu) => {
      const { timeline, branches, go, now } = await setup({ framesOnGpu })
      await go(57)
      const picture = await now()
      await timeline.seek(20)
      await timeline.seek(30)
      expect(branches).toEqual([])
      await go(1, 3)
      expect(branches).toMatchObject([{ id: 1, from: 30, to: 57 }])
      expect(hashPixels(branches[0]!.frame!)).toBe(picture)
    },
  )

  it('is gone back to, frame by frame, with its words; and so is what took its place', async () => {
    const { timeline, branches, go, now } = await setup()
    await go(30)
    await timeline.setPrompt('rain')
    await go(53)
    const [end, log] = [await now(), timeline.log()]
    await timeline.seek(20)
    await go(45, 4)
    const [otherEnd, otherLog] = [await now(), timeline.log()]
    expect(hashPixels(branches[0]!.frame!)).toBe(end)
    await timeline.returnTo(branches[0]!)
    expect([await now(), timeline.log(), timeline.position, timeline.range]).toEqual([
      end,
      log,
      83,
      { from: 0, to: 83 },
    ])
    expect(branches[1]).toMatchObject({ from: 20, to: 65 })
    await go(5)
    expect((await replay(timeline.log(), new FakeWorld())).divergence).toBeNull()
    await timeline.returnTo(branches[1]!)
    expect([await now(), timeline.log()]).toEqual([otherEnd, otherLog])
    expect(branches[2]).toMatchObject({ from: 20, to: 88 })
    // Between the snapshots that both have and the one that came back lies nothing but replay.
    await timeline.seek(41)
    expect(timeline.position).toBe(41)
    expect(hashPixels((await timeline.seek(65)).frame!)).toBe(otherEnd)
  })

  it('parts from another where the words do, though the same was held in both', async () => {
    const { timeline, branches, go } = await setup()
    await go(60)
    await timeline.seek(30)
    await timeline.setPrompt('rain')
    await go(30)
    await timeline.returnTo(branches[0]!)
    expect(branches).toMatchObject([
      { from: 30, to: 60 },
      { from: 30, to: 60 },
    ])
    expect(timeline.log().prompts).toEqual([])
    await timeline.returnTo(branches[1]!)
    expect(timeline.log().prompts).toMatchObject([{ afterTick: 30, text: 'rain' }])
  })

  it('is not told where it was short, and forgotten with its drive', async () => {
    const { timeline, branches, go } = await setup()
    await go(40)
    await timeline.seek(30)
    await go(40)
    expect(branches).toEqual([])
    await timeline.seek(30)
    await go(1)
    await timeline.reset({ seed: 4 })
    await go(5)
    await expect(timeline.returnTo(branches[0]!)).rejects.toThrow(/of another drive/)
    expect(timeline.position).toBe(5)
  })
})

it('two minutes of snapshots stay within the memory they may take', async () => {
  const timeline = new Timeline(new FakeWorld(), { every: 1, capacity: 50, maxBytes: 12 * 20 })
  await timeline.reset({ seed: 1 })
  for (let i = 0; i < 60; i++) await timeline.step(ACTIONS[0]!)
  await timeline.snapshot()
  expect(timeline.range).toEqual({ from: 41, to: 60 })
})
