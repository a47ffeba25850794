/** Drives that begin from words and a seed alone. */
import * as ort from 'onnxruntime-node'
import { afterEach, describe, expect, it } from 'vitest'
import { hashPixels } from '../../engine/frame-hash'
import type { World } from '../../engine/world'
import type { WorldFiles } from '../assets/world-files'
import { AssetCorruptError, DeviceLostError } from '../errors'
import { nodeSession } from '../node'
import { ACTIONS, IDLE, LosableBackend, loadTiny, tinyBackend, withManifest } from '../testing'
import { BatchedDream } from './batched-dream'
import { DreamWorld } from './dream-world'

const STEPS = 3

/** The fixture as a world that draws first frames, under one of two readings. */
async function files(): Promise<WorldFiles> {
  const whole = await loadTiny()
  const { shape } = whole
  const each = (shape.actionCount - 1) * shape.actionDims
  return {
    ...whole,
    manifest: { ...whole.manifest, beginnings: { steps: STEPS } },
    beginnings: {
      instruments: { shape: [2, 1, 32], data: Float32Array.from({ length: 64 }, (_, i) => Math.sin(i)) },
      actions: { shape: [2, 3, 2], data: new Float32Array(2 * each) },
    },
  }
}

const open: { close(): Promise<void> }[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()))
})

async function dream(): Promise<DreamWorld> {
  const world = new DreamWorld({ files: await files(), backend: await tinyBackend(await files()) })
  open.push(world)
  return world
}

async function played(world: World, seed: number): Promise<string[]> {
  const hashes = [hashPixels((await world.reset({ seed, prompt: 'a snowy night drive' })).frame!)]
  for (let i = 0; i < 3; i++) hashes.push(hashPixels((await world.step(IDLE)).frame!))
  return hashes
}

describe('a reset without a start', () => {
  it('draws the first frame at tick 0, the same for a seed and another for another', async () => {
    const world = await dream()
    const first = await world.reset({ seed: 4 })
    expect(first.index).toBe(0)
    expect((await world.step(IDLE)).index).toBe(1)
    const one = await played(world, 4)
    expect(await played(world, 4)).toEqual(one)
    expect(await played(await dream(), 4)).toEqual(one)
    expect((await played(world, 6))[0]).not.toBe(one[0])
  })

  it('takes a preset by the seed where nobody chose words', async () => {
    const world = await dream()
    await world.reset({ seed: 4 })
    const { presets } = (await files()).manifest
    expect((await world.snapshot()).prompt!.text).toBe(presets[4 % presets.length]!.text)
  })

  it('goes on from its snapshot as if nothing had been', async () => {
    const world = await dream()
    await world.reset({ seed: 4 })
    const snapshot = await world.snapshot()
    expect(snapshot.tick).toBe(0)
    const on = hashPixels((await world.step(IDLE)).frame!)
    await world.restore(snapshot)
    expect(hashPixels((await world.step(IDLE)).frame!)).toBe(on)
  })

  it('begins where a start is named at that start, as before', async () => {
    const whole = await loadTiny()
    const plain = new DreamWorld({ files: whole, backend: await tinyBackend(whole) })
    open.push(plain)
    const start = whole.starts[1]!.id
    const world = await dream()
    const expected = hashPixels((await plain.reset({ seed: 4, start })).frame!)
    expect(hashPixels((await world.reset({ seed: 4, start })).frame!)).toBe(expected)
  })

  it('is the same drive among many', async () => {
    const name = { name: 'node-cpu', session: nodeSession(1), maxBatch: 4 }
    const many = await BatchedDream.open({ ort, ...name, files: await files() })
    open.push(many)
    const prompt = 'a snowy night drive'
    await many.reset('other', { seed: 9, prompt })
    expect((await many.reset('a', { seed: 4, prompt })).tick).toBe(0)
    const world = await dream()
    await world.reset({ seed: 4, prompt })
    expect(many.snapshot('a')).toEqual(await world.snapshot())
    const { ticks } = await many.step([{ session: 'a', action: IDLE }])
    expect(ticks.map(({ tick }) => tick)).toEqual([1])
  })

  it('mixes with nobody: who plays meanwhile goes on undisturbed, and so does the one that begins', async () => {
    const name = { name: 'node-cpu', session: nodeSession(1), maxBatch: 4 }
    const [alone, beside] = await Promise.all(
      [0, 1].map(async () => BatchedDream.open({ ort, ...name, files: await files() })),
    )
    open.push(alone!, beside!)
    const job = [{ session: 'x', action: ACTIONS[7]! }]
    for (const many of [alone!, beside!]) await many.reset('x', { seed: 9 })
    await alone!.reset('y', { seed: 4 })
    for (let i = 0; i < 4; i++) await alone!.step(job)
    const beginning = beside!.reset('y', { seed: 4 })
    for (let i = 0; i < 4; i++) await beside!.step(job)
    expect((await beginning).tick).toBe(0)
    for (const session of ['x', 'y']) {
      const { state, ...rest } = beside!.snapshot(session)
      expect({ state, ...rest }).toEqual(alone!.snapshot(session))
    }
  })

  it('says the tick after the next where words come while a tick is made', async () => {
    const many = await BatchedDream.open({
      ...{ ort, name: 'node-cpu', session: nodeSession(1), maxBatch: 4 },
      files: await files(),
    })
    open.push(many)
    await many.reset('x', { seed: 9 })
    const ticking = many.step([{ session: 'x', action: IDLE }])
    await Promise.resolve()
    expect(await many.setPrompt('x', 'a snowy night drive')).toEqual({ tick: 2 })
    await ticking
    expect(await many.setPrompt('x', 'a snowy night drive')).toEqual({ tick: 2 })
  })

  it('leaves the running drive as it was where its ticks fail', async () => {
    const expected = await played(await dream(), 4)
    const backend = await tinyBackend(await files())
    const world = new DreamWorld({ files: await files(), backend })
    open.push(world)
    await world.reset({ seed: 4, prompt: 'a snowy night drive' })
    const step = backend.step.bind(backend)
    let steps = 0
    backend.step = (input) => (++steps === 2 ? Promise.reject(new Error('no memory')) : step(input))
    await expect(world.reset({ seed: 6 })).rejects.toThrow('no memory')
    expect(hashPixels(await world.readPixels())).toBe(expected[0])
    expect(hashPixels((await world.step(IDLE)).frame!)).toBe(expected[1])
  })

  it('survives a device that goes away while it draws', async () => {
    const expected = await played(await dream(), 4)
    const lost = new LosableBackend(await tinyBackend(await files()))
    const step = lost.step.bind(lost)
    let steps = 0
    lost.step = (input) =>
      ++steps === 2 ? Promise.reject(new DeviceLostError('while it draws')) : step(input)
    const next = new LosableBackend(await tinyBackend(await files()))
    const world = new DreamWorld({ files: await files(), backend: lost, reopen: async () => next })
    open.push(world)
    expect(await played(world, 4)).toEqual(expected)
    expect(world.stats.deviceLosses).toBe(1)
  })
})

it('a world that says so but has nothing to begin with is damaged', async () => {
  const damaged = withManifest((manifest) => Object.assign(manifest, { beginnings: { steps: 2 } }))
  await expect(loadTiny(damaged)).rejects.toThrow(AssetCorruptError)
})
