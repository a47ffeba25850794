import { describe, expect, it, vi } from 'vitest'
import { FakeWorld } from '../../engine/testing/fake-world'
import type { RemoteDream } from './remote-dream'
import { type OnLost, Seats, type Server } from './seats'

const HERE = { url: 'ws://here' }
const THERE = { url: 'ws://there' }
const nothing = () => {}
const wish = () => new AbortController()

/** Seats that are free when a test says so. */
function line() {
  const waiting: { server: Server; over: AbortSignal; lose: OnLost; let(world: FakeWorld): void }[] = []
  const seats = new Seats(
    (server, lose, over) =>
      new Promise((resolve, reject) => {
        over.addEventListener('abort', () => reject(over.reason))
        waiting.push({ server, over, lose, let: (world) => resolve(world as unknown as RemoteDream) })
      }),
  )
  return { seats, waiting }
}

describe('Seats', () => {
  it('takes one on each server, and waits for it no longer than it is wished for', async () => {
    const { seats, waiting } = line()
    const mine = wish()
    const first = seats.take(HERE, nothing, mine.signal)
    expect(seats.take({ ...HERE }, nothing, mine.signal)).toBe(first)
    mine.abort()
    await expect(first).rejects.toMatchObject({ name: 'AbortError' })
    const second = seats.take(HERE, nothing, wish().signal)
    const world = new FakeWorld()
    waiting[1]!.let(world)
    expect(await second).toBe(world)
    expect(waiting.map(({ over }) => over.aborted)).toEqual([true, false])
  })

  it('keeps the one that is driven on, and closes the others', async () => {
    const { seats, waiting } = line()
    const mine = wish()
    const worlds = [new FakeWorld(), new FakeWorld()]
    const both = [seats.take(HERE, nothing, mine.signal), seats.take(THERE, nothing, mine.signal)]
    for (const [i, world] of worlds.entries()) waiting[i]!.let(world)
    await Promise.all(both)
    mine.abort()
    await seats.leave(worlds[1])
    expect(worlds.map(({ closed }) => closed)).toEqual([true, false])
    expect(await seats.take(THERE, nothing, wish().signal)).toBe(worlds[1])
    await seats.leave()
    expect(worlds[1]!.closed).toBe(true)
  })

  it('leaves a line that has no end', async () => {
    const { seats, waiting } = line()
    const never = seats.take(HERE, nothing, wish().signal)
    await Promise.all([seats.leave(), expect(never).rejects.toThrow()])
    expect(waiting[0]!.over.aborted).toBe(true)
  })

  it('takes another one where the server was lost', async () => {
    const { seats, waiting } = line()
    const onLost = vi.fn()
    const first = seats.take(HERE, onLost, wish().signal)
    const world = new FakeWorld()
    waiting[0]!.let(world)
    await first
    waiting[0]!.lose('It is gone.')
    expect(onLost).toHaveBeenCalledWith('It is gone.')
    const second = seats.take(HERE, nothing, wish().signal)
    expect(second).not.toBe(first)
    await Promise.all([seats.leave(), expect(second).rejects.toThrow()])
    expect(world.closed).toBe(true)
  })
})
