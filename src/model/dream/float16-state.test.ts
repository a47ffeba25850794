import * as ort from 'onnxruntime-node'
import { afterEach, describe, expect, it } from 'vitest'
import type { Action } from '../../engine/controls'
import { BadInputError } from '../../engine/errors'
import { float16, float16Bits } from '../../engine/float16'
import { hashPixels } from '../../engine/frame-hash'
import type { Snapshot, World } from '../../engine/world'
import { worldShape } from '../assets/manifest'
import { LatentRing } from '../backends/latent-ring'
import { nodeSession } from '../node'
import { ACTIONS, halfTinyFiles, loadTiny, tinyBackend } from '../testing'
import { BatchedDream } from './batched-dream'
import { DreamWorld } from './dream-world'
import { toSnapshot } from './snapshot'
import { telemetryIn } from './telemetry'

const open: DreamWorld[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((world) => world.close()))
})

async function halfDream(): Promise<DreamWorld> {
  const files = await loadTiny(halfTinyFiles())
  const world = new DreamWorld({ files, backend: await tinyBackend(files) })
  open.push(world)
  return world
}

const action = (i: number): Action => ACTIONS[(i * 5 + 3) % ACTIONS.length]!

async function play(world: World, from: number, count: number): Promise<string[]> {
  const hashes: string[] = []
  for (let i = from; i < from + count; i++) hashes.push(hashPixels((await world.step(action(i))).frame!))
  return hashes
}

const halved = (number: number) => float16(float16Bits(number))

describe('a state at half precision', () => {
  it('keeps what a half says, and feeds that', async () => {
    const ring = new LatentRing({ ringLength: 2, latentLength: 3, half: true })
    ring.push(Float32Array.of(0.1, 1 / 3, 1e9))
    ring.push(Float32Array.of(-0.1, 2, 3))
    expect([...ring.read(2)]).toEqual([halved(0.1), halved(1 / 3), 65504])
    const out = new Float32Array(6)
    ring.gather([2, 1], out)
    expect([...out]).toEqual([...ring.read(2), ...ring.read(1)])
    expect([...ring.readAll()]).toEqual([...ring.read(1), ...ring.read(2)])
  })

  it('is what a server is handed of a tick, too', async () => {
    const host = { ort, name: 'node-cpu', session: nodeSession(1), maxBatch: 2 }
    const many = await BatchedDream.open({ ...host, files: await loadTiny(halfTinyFiles()) })
    await many.reset('a', { seed: 4 })
    const { ticks } = await many.step([{ session: 'a', action: action(0) }])
    expect(ticks[0]!.latent).toEqual(many.show('a').latent)
    await many.close()
  })

  it('goes on from a snapshot, and from one that went through JSON, as if nothing had been', async () => {
    const world = await halfDream()
    await world.reset({ seed: 4 })
    await play(world, 0, 9)
    const snapshot = await world.snapshot()
    expect(snapshot.state.latents).toBeUndefined()
    expect(snapshot.state.halfLatents).toBeInstanceOf(Uint16Array)
    const on = await play(world, 9, 6)
    expect(new Set(on).size).toBe(6)
    for (const given of [snapshot, structuredClone(snapshot), JSON.parse(JSON.stringify(snapshot))]) {
      await world.restore(given)
      expect(await play(world, 9, 6)).toEqual(on)
    }
  })

  it('is another dream than the same one in whole floats', async () => {
    const files = await loadTiny()
    const whole = new DreamWorld({ files, backend: await tinyBackend(files) })
    open.push(whole)
    const half = await halfDream()
    await whole.reset({ seed: 4 })
    await half.reset({ seed: 4 })
    await play(whole, 0, 5)
    await play(half, 0, 5)
    const latents = (await half.snapshot()).state.halfLatents as Uint16Array
    const floats = (await whole.snapshot()).state.latents as Float32Array
    const apart = floats.map((number, i) => Math.abs(number - float16(latents[i]!)))
    expect(Math.max(...apart)).toBeLessThan(0.02)
    expect(Math.max(...apart)).toBeGreaterThan(0)
  })

  it.each([
    ['floats', { latents: new Float32Array(16 * 60 * 32) }],
    ['too few', { halfLatents: new Uint16Array(7) }],
    ['an infinity', { halfLatents: new Uint16Array(16 * 60 * 32).fill(0x7c00) }],
    ['no number', { halfLatents: new Uint16Array(16 * 60 * 32).fill(0x7e00) }],
  ])('refuses %s and plays on', async (_, wrong) => {
    const world = await halfDream()
    await world.reset({ seed: 4 })
    const { state, ...rest } = await world.snapshot()
    const bad = { ...rest, state: { actions: state.actions!, ...wrong } } as Snapshot
    await expect(world.restore(bad)).rejects.toThrow(/halfLatents is a Uint16Array of 30720/)
    await expect(world.restore(bad)).rejects.toThrow(BadInputError)
    await play(world, 0, 1)
  })

  it('of the drive makes a snapshot of less than 100 kB', async () => {
    const { manifest } = await loadTiny(halfTinyFiles())
    const history = { offsets: [1, 2, 4] }
    const drive = { ...manifest, history, latent: { ...manifest.latent, tokens: 962, channels: 12 } }
    const shape = worldShape(drive)
    const state = {
      tick: 1,
      seed: 1,
      text: 'a drive',
      embedding: new Float32Array(16),
      past: new Float32Array(6),
    }
    const latents = new Float32Array(shape.ringLength * shape.latentLength).fill(0.1)
    const { halfLatents, actions } = toSnapshot({ manifest: drive, shape }, state, latents).state
    expect(halfLatents!.byteLength + actions!.byteLength).toBeLessThan(99_000)
  })
})

describe('telemetry', () => {
  const reading = (name: string, centre: number) => ({ name, unit: '', centre, spread: 2 })

  it('fills as many of the last tokens as it takes', () => {
    const shape = { tokens: 4, channels: 2, telemetry: ['a', 'b', 'c'].map((name, i) => reading(name, i)) }
    const latent = Float32Array.of(9, 9, 9, 9, 1, 2, 3, 0)
    expect(telemetryIn(latent, shape)).toEqual({ a: 2, b: 5, c: 8 })
    expect(telemetryIn(latent, { ...shape, telemetry: shape.telemetry.slice(0, 2) })).toEqual({ a: 6, b: 1 })
    expect(telemetryIn(latent, { tokens: 4, channels: 2 })).toBeUndefined()
  })
})
