import { describe, expect, it } from 'vitest'
import { FAKE_CONTROLS } from '../../engine/testing/fake-world'
import type { Snapshot } from '../../engine/world'
import { packLatent, unpackLatent } from '../protocol/latents'
import { DriveMemory, type Known } from './drive-memory'

const SHAPE = { tokens: 2, channels: 3, latentLength: 6, ringLength: 4, actionCount: 4, actionDims: 2 }
const KNOWN = {
  manifest: {
    id: 'tiny',
    modelHash: 'hash',
    controls: FAKE_CONTROLS,
    actions: { count: 4, dims: 2, encoding: 'number' },
    prompt: { dim: 1, encoder: '' },
    starts: [
      { id: 'one', caption: 'first words' },
      { id: 'two', caption: 'second words' },
    ],
  },
  shape: SHAPE,
} as unknown as Known
const LEFT = { slide: -1, light: 1 }
const RIGHT = { slide: 1, light: 0 }

const payload = (value: number) => packLatent(new Float32Array(6).fill(value), SHAPE)
const seenAs = (value: number) => unpackLatent(payload(value), SHAPE)[0]!
/** The first number of each latent of the ring, newest first. */
const ring = ({ state }: Snapshot) =>
  Array.from({ length: SHAPE.ringLength }, (_, age) => state.latents![age * SHAPE.latentLength]!)

describe('DriveMemory', () => {
  it('knows nothing before the first frame, and the words and seed of a reset from then on', () => {
    const memory = new DriveMemory(KNOWN)
    memory.reset({ seed: 3 })
    expect(memory.snapshot()).toBeNull()
    memory.see(0, payload(1), LEFT)
    expect(memory.snapshot()).toMatchObject({
      format: 'oneiro-snapshot',
      world: 'tiny',
      modelHash: 'hash',
      tick: 0,
      seed: 3,
      prompt: { text: 'second words', embedding: null },
    })
    memory.reset({ seed: 3, start: 'one' })
    memory.see(0, payload(1), LEFT)
    expect(memory.snapshot()!.prompt!.text).toBe('first words')
    const embedding = Float32Array.of(1)
    memory.say({ text: 'snow', embedding })
    expect(memory.snapshot()!.prompt).toEqual({ text: 'snow', embedding })
  })

  it('keeps one ring of latents, newest first, and takes lost frames to be as the one after them', () => {
    const memory = new DriveMemory(KNOWN)
    memory.reset({ seed: 1 })
    for (const tick of [0, 1, 2, 5, 6]) memory.see(tick, payload(tick), LEFT)
    const snapshot = memory.snapshot()!
    expect(snapshot.tick).toBe(6)
    expect(ring(snapshot)).toEqual([6, 5, 5, 5].map(seenAs))
    memory.see(7, payload(7), LEFT)
    expect(ring(memory.snapshot()!)).toEqual([7, 6, 5, 5].map(seenAs))
  })

  it('keeps the actions of the last ticks, newest first', () => {
    const memory = new DriveMemory(KNOWN)
    memory.reset({ seed: 1 })
    memory.see(0, payload(0), RIGHT)
    expect([...memory.snapshot()!.state.actions!]).toEqual([0, 0, 0, 0, 0, 0])
    memory.see(1, payload(0), LEFT)
    memory.see(2, payload(0), RIGHT)
    expect([...memory.snapshot()!.state.actions!]).toEqual([1, 0, -1, 1, 0, 0])
    memory.see(9, payload(0), LEFT)
    expect([...memory.snapshot()!.state.actions!]).toEqual([-1, 1, -1, 1, -1, 1])
  })

  it('forgets the future that a drive was set back from', () => {
    const memory = new DriveMemory(KNOWN)
    memory.reset({ seed: 1 })
    for (const tick of [8, 9, 10]) memory.see(tick, payload(tick), LEFT)
    memory.see(9, payload(2), LEFT)
    const snapshot = memory.snapshot()!
    expect(snapshot.tick).toBe(9)
    expect(ring(snapshot)).toEqual([2, 8, 8, 8].map(seenAs))
  })

  it('knows what was before a restore from what was restored', () => {
    const first = new DriveMemory(KNOWN)
    first.reset({ seed: 1 })
    for (const tick of [0, 1, 2, 3, 4]) first.see(tick, payload(tick), LEFT)
    const origin = first.snapshot()!
    const memory = new DriveMemory(KNOWN)
    memory.restore(origin)
    memory.see(4, payload(4), RIGHT)
    memory.see(5, payload(5), RIGHT)
    const snapshot = memory.snapshot()!
    expect(ring(snapshot)).toEqual([5, 4, 3, 2].map(seenAs))
    expect([...snapshot.state.actions!]).toEqual([1, 0, -1, 1, -1, 1])
  })

  it('takes nothing from what was restored once the frame of it is forgotten', () => {
    const memory = new DriveMemory(KNOWN, 2)
    memory.reset({ seed: 1 })
    memory.see(4, payload(4), LEFT)
    memory.restore(memory.snapshot()!)
    for (const tick of [4, 5, 6, 7]) memory.see(tick, payload(tick), RIGHT)
    expect(ring(memory.snapshot()!)).toEqual([7, 6, 6, 6].map(seenAs))
  })

  it('goes back to any tick it keeps, with the words and actions that counted there', () => {
    const memory = new DriveMemory(KNOWN, 8)
    memory.reset({ seed: 1, prompt: 'fog' })
    for (let tick = 0; tick <= 5; tick++) memory.see(tick, payload(tick), LEFT)
    memory.say('snow')
    for (let tick = 6; tick <= 9; tick++) memory.see(tick, payload(tick), RIGHT)
    expect(memory.range).toEqual({ from: 2, to: 9 })
    expect(memory.at(1)).toBeUndefined()
    expect(memory.snapshot(1)).toBeNull()
    const at = (tick: number) => memory.snapshot(tick)!
    expect([at(5), at(6), at(9)].map(({ prompt }) => prompt!.text)).toEqual(['fog', 'snow', 'snow'])
    expect([...at(7).state.actions!]).toEqual([1, 0, 1, 0, -1, 1])
    expect(ring(at(7))).toEqual([7, 6, 5, 4].map(seenAs))
    memory.branch(5)
    expect([memory.range!.to, memory.snapshot()!.prompt!.text]).toEqual([5, 'fog'])
    memory.see(6, payload(1), LEFT)
    expect(ring(memory.snapshot()!)).toEqual([1, 5, 4, 3].map(seenAs))
  })
})
