import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BadInputError } from './errors'
import { hashPixels } from './frame-hash'
import { replay } from './replay'
import { ACTIONS, FAKE, FakeWorld, IDLE } from './testing/fake-world'
import { checkWorld } from './testing/world-suite'
import { Timeline } from './timeline'

checkWorld('Timeline', {
  open: async () => new Timeline(new FakeWorld(), { every: 2 }),
  starts: ['here', 'there'],
})

const hash = async (world: Timeline) => hashPixels(await world.readPixels())

async function drive(
  ticks: number,
  options = { every: 5, capacity: 4 },
  prompts: Record<number, string> = {},
) {
  const world = new FakeWorld()
  const timeline = new Timeline(world, options)
  const hashes: string[] = []
  await timeline.reset({ seed: 3 })
  for (let i = 0; i < ticks; i++) {
    hashes.push(await hash(timeline))
    const prompt = prompts[i]
    if (prompt !== undefined) await timeline.setPrompt(prompt)
    await timeline.step(ACTIONS[(i * 5) % 9]!)
  }
  hashes.push(await hash(timeline))
  return { world, timeline, hashes }
}

describe('seeking', () => {
  test('reaches any kept tick with the very frame that was there', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 40 }),
        fc.dictionary(
          fc.nat(39).map(String),
          fc.string().map((text) => `say ${text}`),
        ),
        fc.array(fc.nat(100), { minLength: 1, maxLength: 6 }),
        async (ticks, prompts, targets) => {
          const { timeline, hashes } = await drive(ticks, { every: 4, capacity: 5 }, prompts)
          for (const raw of targets) {
            const { from, to } = timeline.range!
            const target = from + (raw % (to - from + 1))
            const tick = await timeline.seek(target)
            expect(tick.index).toBe(target)
            expect(timeline.position).toBe(target)
            expect(await hash(timeline)).toBe(hashes[target])
          }
        },
      ),
      { numRuns: 40 },
    )
  })

  test('loses nothing until play goes on: back, forth and on from the head', async () => {
    const { timeline } = await drive(12)
    const same = (await drive(13)).hashes
    await timeline.seek(7)
    await timeline.seek(12)
    expect(timeline.range).toEqual({ from: 0, to: 12 })
    await timeline.step(ACTIONS[(12 * 5) % 9]!)
    expect(await hash(timeline)).toBe(same[13])
    expect(timeline.log().actions.length).toBe(13)
  })

  test('a prompt given at the head is there again on return to the head', async () => {
    const { timeline } = await drive(6)
    await timeline.setPrompt('volcano')
    await timeline.seek(2)
    await timeline.seek(6)
    expect((await timeline.snapshot()).prompt!.text).toBe('volcano')
    await timeline.step(IDLE)
    expect(await replay(timeline.log(), new FakeWorld())).toMatchObject({ lastTick: 7, differing: 0 })
  })

  test.each([-1, 13, 2.5, Number.NaN])('outside the range is refused: %d', async (target) => {
    const { timeline } = await drive(12)
    await expect(timeline.seek(target)).rejects.toBeInstanceOf(BadInputError)
    expect(timeline.position).toBe(12)
  })

  test('replays at most one tick less than the distance of snapshots', async () => {
    const { world, timeline } = await drive(12)
    world.calls.length = 0
    await timeline.seek(9)
    expect(world.calls).toEqual(['restore', 'step', 'step', 'step', 'step'])
  })
})

describe('branching', () => {
  test('play after a seek cuts the old future off, and the log tells the branch alone', async () => {
    const { timeline } = await drive(20, { every: 5, capacity: 10 }, { 3: 'fog', 8: 'snow' })
    await timeline.seek(8)
    await timeline.step(FAKE.action(8))
    await timeline.step(FAKE.action(8))
    expect(timeline.range).toEqual({ from: 0, to: 10 })
    const log = timeline.log()
    expect(log.actions.length).toBe(10)
    expect(log.actions.slice(8)).toEqual([8, 8])
    expect(log.prompts.map((prompt) => prompt.text)).toEqual(['fog'])
    expect(await replay(log, new FakeWorld())).toMatchObject({ compared: 11, differing: 0 })
  })

  test('a seek after that reaches the branch, and not the future that was cut off', async () => {
    const { timeline } = await drive(20, { every: 5, capacity: 10 })
    await timeline.seek(8)
    const branch: string[] = []
    for (let i = 0; i < 4; i++) {
      branch.push(hashPixels((await timeline.step(FAKE.action(8))).frame!))
      if (i === 0) expect(timeline.lastSnapshot?.tick).toBe(5)
    }
    for (const [i, frame] of branch.entries()) {
      await timeline.seek(9 + i)
      expect(await hash(timeline)).toBe(frame)
    }
  })

  test('a prompt after a seek branches too', async () => {
    const { timeline } = await drive(12)
    await timeline.seek(4)
    await timeline.setPrompt('lava')
    expect(timeline.head).toBe(4)
    await timeline.step(IDLE)
    expect(await replay(timeline.log(), new FakeWorld())).toMatchObject({ lastTick: 5, differing: 0 })
  })
})

describe('the ring', () => {
  test('is bounded, and the oldest ticks go first', async () => {
    const { timeline } = await drive(100, { every: 5, capacity: 4 })
    expect(timeline.range).toEqual({ from: 85, to: 100 })
    expect(timeline.lastSnapshot?.tick).toBe(100)
  })

  test('takes one snapshot every so many ticks, even where steps are not waited for', async () => {
    const world = new FakeWorld()
    const timeline = new Timeline(world, { every: 3 })
    await timeline.reset({ seed: 1 })
    await Promise.all(Array.from({ length: 9 }, () => timeline.step(IDLE)))
    await timeline.readPixels()
    expect(world.calls.join(' ')).toBe(
      'reset snapshot step step step snapshot step step step snapshot step step step snapshot readPixels',
    )
  })

  test('begins anew with a reset', async () => {
    const { timeline } = await drive(12)
    await timeline.seek(3)
    await timeline.reset({ seed: 4 })
    expect(timeline.range).toEqual({ from: 0, to: 0 })
    expect(timeline.position).toBe(0)
  })

  test('a failed snapshot does not disturb play', async () => {
    const { world, timeline } = await drive(4)
    world.snapshot = () => Promise.reject(new Error('device lost'))
    await timeline.step(IDLE)
    expect((await timeline.step(IDLE)).index).toBe(6)
    expect(timeline.range).toEqual({ from: 0, to: 6 })
  })

  test.each([
    { every: 0, capacity: 1 },
    { every: 1, capacity: 0.5 },
  ])('refuses %o', (options) => {
    expect(() => new Timeline(new FakeWorld(), options)).toThrow(BadInputError)
  })
})

test('a seek that fails on the way knows where it stands, and play goes on from there', async () => {
  const { world, timeline } = await drive(9)
  world.failNextStep(new Error('lost'))
  await expect(timeline.seek(8)).rejects.toThrow('lost')
  expect(timeline.position).toBe(5)
  expect((await timeline.step(IDLE)).index).toBe(6)
  expect(await replay(timeline.log(), new FakeWorld())).toMatchObject({ lastTick: 6, differing: 0 })
})

test('a past that was not played here can be gone back to, and a drive from there has a log of its own', async () => {
  const other = await drive(12)
  const before = other.timeline.kept
  const world = new FakeWorld()
  const timeline = new Timeline(world, { every: 5 })
  await timeline.restore(await other.timeline.snapshot())
  timeline.precede(before)
  expect(timeline.range).toEqual({ from: 0, to: 12 })
  for (let i = 0; i < 8; i++) await timeline.step(IDLE)
  expect((await timeline.seek(7)).index).toBe(5)
  expect(await hash(timeline)).toBe(other.hashes[5])
  expect((await timeline.seek(20)).index).toBe(20)
  await timeline.seek(5)
  await timeline.step(IDLE)
  expect(timeline.range).toEqual({ from: 0, to: 6 })
  const log = timeline.log()
  expect(log.begin).toMatchObject({ restore: { tick: 5 } })
  expect(await replay(log, new FakeWorld())).toMatchObject({ compared: 2, differing: 0 })
})
