import { afterEach, describe, expect, it } from 'vitest'
import type { Action } from '../../engine/controls'
import { BadInputError, NotReadyError, SnapshotMismatchError } from '../../engine/errors'
import type { Snapshot } from '../../engine/world'
import { ACTIONS, loadTiny, tinyBackend, tinyBatched } from '../testing'
import type { BatchedDream } from './batched-dream'
import { DreamWorld } from './dream-world'

const closing: { close(): Promise<void> }[] = []
afterEach(async () => {
  await Promise.all(closing.splice(0).map((one) => one.close()))
})

async function batched(maxBatch?: number): Promise<BatchedDream> {
  const { dream } = await tinyBatched(maxBatch)
  closing.push(dream)
  return dream
}

async function single(): Promise<DreamWorld> {
  const files = await loadTiny()
  const world = new DreamWorld({ files, backend: await tinyBackend(files) })
  closing.push(world)
  return world
}

/** Every session does something else. */
const action = (session: number, tick: number): Action => ACTIONS[(session * 4 + tick * 5) % 9]!

function furthest(a: Float32Array, b: Float32Array): number {
  expect(a.length).toBe(b.length)
  return Math.max(...a.map((value, i) => Math.abs(value - b[i]!)))
}

function differ(a: Snapshot, b: Snapshot): number {
  const { state: stateA, ...restA } = a
  const { state: stateB, ...restB } = b
  expect(restA).toEqual(restB)
  expect(stateA.actions).toEqual(stateB.actions)
  return furthest(stateA.latents as Float32Array, stateB.latents as Float32Array)
}

const TICKS = 12

describe('many dreams in one run', () => {
  it.each([
    [5, 8],
    [5, 2],
  ])('%i sessions, %i a run, are as many DreamWorlds', async (count, maxBatch) => {
    const dream = await batched(maxBatch)
    const ids = Array.from({ length: count }, (_, i) => `s${i}`)
    for (const [i, id] of ids.entries()) await dream.reset(id, { seed: 40 + i })
    for (let tick = 0; tick < TICKS; tick++) {
      if (tick === 4) await dream.setPrompt('s1', 'a snowy night drive')
      const jobs = ids.map((session, i) => ({ session, action: action(i, tick) }))
      const { ticks } = await dream.step(jobs)
      expect(ticks.map((one) => [one.session, one.tick])).toEqual(ids.map((id) => [id, tick + 1]))
    }
    for (const [i, id] of ids.entries()) {
      const world = await single()
      await world.reset({ seed: 40 + i })
      for (let tick = 0; tick < TICKS; tick++) {
        if (tick === 4 && i === 1) await world.setPrompt('a snowy night drive')
        await world.step(action(i, tick))
      }
      expect(differ(dream.snapshot(id), await world.snapshot())).toBeLessThan(1e-4)
    }
  })

  it('makes the picture that DreamWorld makes', async () => {
    const dream = await batched()
    await dream.reset('a', { seed: 3 })
    await dream.reset('b', { seed: 4 })
    const jobs = ['a', 'b'].map((session) => ({ session, action: ACTIONS[2]! }))
    const { ticks } = await dream.step(jobs)
    const frames = await dream.decode(ticks.map(({ latent }) => latent))
    const world = await single()
    await world.reset({ seed: 4 })
    const { frame } = await world.step(ACTIONS[2]!)
    const second = frames.subarray(frames.length / 2)
    const bytes = Uint8ClampedArray.from(second, (value) => value * 255)
    const worst = Math.max(...bytes.map((value, i) => Math.abs(value - frame!.data[i]!)))
    expect(worst).toBeLessThanOrEqual(1)
  })

  it('hands a drive over in both directions', async () => {
    const world = await single()
    await world.reset({ seed: 9, prompt: 'fog at dawn in the forest' })
    for (let tick = 0; tick < 5; tick++) await world.step(action(0, tick))
    const dream = await batched()
    await dream.reset('other', { seed: 1 })
    expect(await dream.restore('taken', await world.snapshot())).toMatchObject({ tick: 5, epoch: 1 })
    for (let tick = 5; tick < 9; tick++) {
      await world.step(action(0, tick))
      await dream.step([
        { session: 'other', action: action(1, tick) },
        { session: 'taken', action: action(0, tick) },
      ])
    }
    expect(differ(dream.snapshot('taken'), await world.snapshot())).toBeLessThan(1e-4)
    const back = await single()
    await back.restore(dream.snapshot('taken'))
    await back.step(action(0, 9))
    await world.step(action(0, 9))
    expect(differ(await back.snapshot(), await world.snapshot())).toBeLessThan(1e-4)
  })
})

describe('what goes wrong in one session', () => {
  it('is refused by name, and the session kept', async () => {
    const dream = await batched()
    await dream.reset('a', { seed: 1 })
    await dream.step([{ session: 'a', action: ACTIONS[0]! }])
    const before = dream.snapshot('a')
    await expect(dream.reset('a', { seed: -1 })).rejects.toBeInstanceOf(BadInputError)
    await expect(dream.reset('a', { seed: 1, start: 'nowhere' })).rejects.toThrow(/first-light/)
    await expect(dream.reset('a', { seed: 1, prompt: 'words nobody knows' })).rejects.toThrow(BadInputError)
    await expect(dream.setPrompt('a', '  ')).rejects.toBeInstanceOf(BadInputError)
    await expect(dream.restore('a', { ...before, world: 'other' })).rejects.toBeInstanceOf(
      SnapshotMismatchError,
    )
    await expect(dream.restore('a', { ...before, tick: 2 ** 32 })).rejects.toThrow(/up to tick/)
    await expect(dream.setPrompt('b', 'a snowy night drive')).rejects.toBeInstanceOf(NotReadyError)
    expect(() => dream.snapshot('b')).toThrow(NotReadyError)
    expect(dream.snapshot('a')).toEqual(before)
  })

  it('leaves the others alone: jobs of sessions that are gone are left out', async () => {
    const dream = await batched()
    for (const id of ['a', 'b']) await dream.reset(id, { seed: 1 })
    dream.free('a')
    const jobs = ['a', 'b', 'c'].map((session) => ({ session, action: ACTIONS[4]! }))
    expect((await dream.step(jobs)).ticks.map(({ session }) => session)).toEqual(['b'])
    expect((await dream.step([])).ticks).toEqual([])
    expect(dream.size).toBe(1)
  })

  it('a reset that comes while a tick is computed overtakes it', async () => {
    const dream = await batched()
    await dream.reset('a', { seed: 1 })
    const stepping = dream.step([{ session: 'a', action: ACTIONS[4]! }])
    const begun = await dream.reset('a', { seed: 2 })
    expect(begun).toMatchObject({ epoch: 2, tick: 0 })
    expect((await stepping).ticks).toEqual([])
    expect(dream.snapshot('a')).toMatchObject({ tick: 0, seed: 2 })
  })
})
