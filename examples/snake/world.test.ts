import { describe, expect, test } from 'vitest'
import { Rng } from '../../src/engine/random'
import { checkWorld } from '../../src/engine/testing/world-suite'
import { play } from './judge'
import { boardIn, cellsOf, judged } from './reader'
import { boardOf, COLUMNS, dies, hopped, openWorld, policy, seek, turned } from './world'

checkWorld('snake', { open: async () => openWorld() })

const IDLE = { x: 0, y: 0 }
const cell = (x: number, y: number) => y * COLUMNS + x

async function board(...state: number[]) {
  const world = openWorld()
  await world.reset({ seed: 1 })
  const snapshot = await world.snapshot()
  await world.restore({ ...snapshot, state: { state: Float64Array.from(state) } })
  return world
}

describe('the rules of snake', () => {
  test('it goes on by itself, and its tail follows', async () => {
    const world = openWorld()
    await world.reset({ seed: 1 })
    const before = boardOf(world.state).body
    await world.step(IDLE)
    const after = boardOf(world.state).body
    expect(after).toEqual([before[0]! + 1, before[0], before[1]])
  })

  test('keys across its way turn it; keys along it do nothing', () => {
    expect(turned(0, { x: -1, y: 0 })).toBe(0)
    expect(turned(0, { x: 0, y: 1 })).toBe(1)
    expect(turned(1, { x: -1, y: -1 })).toBe(2)
    expect(turned(3, { x: 1, y: 1 })).toBe(0)
  })

  test('an apple makes it longer by one, and the next lies a hop away, not under the snake', async () => {
    const world = await board(0, 0, 0, cell(6, 3), cell(5, 3), cell(4, 3), cell(3, 3))
    const { reward, done } = await world.step(IDLE)
    expect({ reward, done }).toEqual({ reward: 1, done: false })
    const { apples, apple, body } = boardOf(world.state)
    expect({ apples, body }).toEqual({ apples: 1, body: [6, 5, 4, 3].map((x) => cell(x, 3)) })
    expect(apple).toBe(cell(11, 6))
    expect(hopped(cell(6, 3), [cell(11, 6)])).toBe(cell(4, 2))
    const all = Array.from({ length: 96 }, (_, i) => i)
    expect(
      hopped(
        7,
        all.filter((i) => i !== 90),
      ),
    ).toBe(90)
    expect(hopped(7, all)).toBe(-1)
  })

  test('it dies at the edge and on itself, but not where its tail was', async () => {
    const edge = await board(0, 0, 2, cell(0, 0), cell(11, 3), cell(10, 3), cell(9, 3))
    expect(await edge.step(IDLE)).toMatchObject({ reward: -1, done: true })
    const ring = [cell(4, 3), cell(4, 4), cell(5, 4), cell(5, 3)]
    const still = { heading: 3, dead: 0, apples: 0, apple: 0, body: ring }
    expect(dies(cell(5, 3), still)).toBe(false)
    expect(dies(cell(4, 4), still)).toBe(true)
    expect(dies(cell(5, 3), { ...still, apple: cell(5, 3) })).toBe(true)
    for (let i = 0; i < 4; i++) await edge.step(IDLE)
    expect(boardOf(edge.state)).toMatchObject({ dead: 0, apples: 0 })
    expect(boardOf(edge.state).body).toHaveLength(3)
  })
})

describe('who plays while it is recorded', () => {
  test('is the same for a seed, eats apples, and dies now and then', async () => {
    const record = async (seed: number) => {
      const world = openWorld()
      await world.reset({ seed })
      const act = policy(new Rng(seed, 17))
      const told = { apples: 0, deaths: 0, actions: '' }
      for (let i = 0; i < 400; i++) {
        const action = act(world)
        const { reward } = await world.step(action)
        told.actions += `${action.x}${action.y}`
        if (reward === 1) told.apples++
        if (reward === -1) told.deaths++
      }
      return told
    }
    const all = await Promise.all([1, 2, 3, 4, 5, 6].map(record))
    expect(await record(3)).toEqual(all[2])
    expect(all.reduce((sum, { apples }) => sum + apples, 0)).toBeGreaterThan(60)
    expect(all.reduce((sum, { deaths }) => sum + deaths, 0)).toBeGreaterThan(5)
  })
})

describe('the reader', () => {
  test('finds no fault with the game itself', async () => {
    const world = openWorld()
    for (const seed of [1, 2, 3]) {
      const { apples, ticks, fault } = await play(world, seed, 120)
      expect({ ticks, fault }).toEqual({ ticks: 120, fault: null })
      expect(apples).toBeGreaterThan(5)
    }
  })

  test('sees a snake that leaps, lives on, or loses its apple', async () => {
    const world = await board(0, 0, 0, cell(9, 6), cell(5, 3), cell(4, 3), cell(3, 3))
    const before = cellsOf(await world.readPixels())
    const after = cellsOf((await world.step(IDLE)).frame!)
    const fault = (cells: typeof after) => judged(before, 0, IDLE, cells).broken
    expect(fault(after)).toBeNull()
    expect(fault({ ...after, head: [cell(8, 3)] })).toBe('head elsewhere')
    expect(fault({ ...after, apple: [] })).toBe('no apple')
    expect(fault({ ...after, apple: [cell(0, 0)] })).toBe('apple moved')
    expect(fault({ ...after, body: [] })).toBe('body lost')
    expect(fault({ ...after, head: [], dead: [cell(6, 3)] })).toBe('dies for nothing')
    const near = await board(0, 0, 0, cell(6, 3), cell(5, 3), cell(4, 3), cell(3, 3))
    const hungry = cellsOf(await near.readPixels())
    const fed = cellsOf((await near.step(IDLE)).frame!)
    expect(judged(hungry, 0, IDLE, fed).broken).toBeNull()
    expect(judged(hungry, 0, IDLE, { ...fed, apple: [cell(0, 0)] }).broken).toBe('apple elsewhere')
    const edge = await board(0, 0, 0, cell(0, 0), cell(11, 3), cell(10, 3), cell(9, 3))
    const there = cellsOf(await edge.readPixels())
    expect(judged(there, 0, IDLE, there).broken).toBe('lives on')
    expect(judged(there, 0, IDLE, cellsOf((await edge.step(IDLE)).frame!)).broken).toBeNull()
  })

  test('shows a policy what the game shows it', async () => {
    const world = await board(0, 0, 0, cell(9, 6), cell(5, 3), cell(4, 3), cell(3, 3))
    const seen = boardIn(cellsOf(await world.readPixels()), 0)
    const rng = () => new Rng(5, 18)
    expect(seek(seen, rng())).toEqual(seek(boardOf(world.state), rng()))
  })
})
