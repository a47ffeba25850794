import { describe, expect, it } from 'vitest'
import { settle } from '../engine/testing/fake-time'
import { FakeWorld } from '../engine/testing/fake-world'
import type { Pixels } from '../engine/world'
import { DRIVE_CONTROLS } from '../scene/drive/controls'
import { Arena } from './arena'
import { planRound } from './plan'
import { createArenaStore } from './store'
import { A, B, CHOICES, FakeStorage } from './testing'
import { VoteBox } from './votes'

const SECONDS = 0.5
const HERE = { ...CHOICES, starts: [{ id: 'here', caption: 'here' }] }

/** A world whose pictures say whose they are. */
class Marked extends FakeWorld {
  readonly mine: Pixels
  constructor(mark: number) {
    super({ controls: DRIVE_CONTROLS })
    this.mine = { width: 1, height: 1, data: Uint8ClampedArray.of(mark, 0, 0, 255) }
  }
  override async reset(options: Parameters<FakeWorld['reset']>[0]) {
    return { ...(await super.reset(options)), frame: this.mine }
  }
  override async step(action: Parameters<FakeWorld['step']>[0]) {
    return { ...(await super.step(action)), frame: this.mine }
  }
}

function set() {
  const worlds = [new Marked(1), new Marked(2)] as const
  const store = createArenaStore()
  const box = new VoteBox(new FakeStorage())
  const shown: [number[], number[]] = [[], []]
  let run: ((nowMs: number) => void) | null = null
  let nowMs = 0
  const arena = new Arena({
    ...{ store, box, session: 7, seconds: SECONDS },
    pair: { worlds, tags: [A, B], choices: HERE, ticksPerSecond: 20 },
    screens: [
      { show: ({ data }) => shown[0].push(data[0]!) },
      { show: ({ data }) => shown[1].push(data[0]!) },
    ],
    now: () => new Date('2026-11-25T12:00:00Z'),
    frames: {
      request(next) {
        run = next
        return 1
      },
      cancel() {
        run = null
      },
    },
  })
  /** The clip is seen to its end. */
  const watch = () => {
    for (let i = 0; i < 20; i++) {
      nowMs += 50
      run?.(nowMs)
    }
  }
  const vote = async (quality: 'left' | 'right', following: 'neither') => {
    watch()
    arena.answer(quality)
    arena.answer(following)
    await arena.next()
  }
  return { arena, store, box, worlds, shown, watch, vote }
}

describe('Arena', () => {
  it('shows each student on the side that the plan says, and counts the vote for it', async () => {
    const { arena, box, shown, vote } = set()
    await arena.begin()
    for (let round = 1; round <= 12; round++) {
      await vote('left', 'neither')
      const { aIsLeft } = planRound(7, round, HERE, 10)
      expect(box.votes.at(-1)).toMatchObject({
        ...{ session: 7, round, ticks: 10, quality: 'left', following: 'neither' },
        left: aIsLeft ? A : B,
        right: aIsLeft ? B : A,
      })
      expect(new Set(shown[0].splice(0))).toEqual(new Set([aIsLeft ? 1 : 2]))
      expect(new Set(shown[1].splice(0))).toEqual(new Set([aIsLeft ? 2 : 1]))
    }
    expect(new Set(box.votes.map(({ left }) => left.name)).size).toBe(2)
  })

  it('takes no vote before the clip was seen, and none before both questions are answered', async () => {
    const { arena, store, box, watch } = set()
    await arena.begin()
    arena.answer('left')
    expect(store.getState().answers).toEqual({ quality: null, following: null })
    watch()
    arena.answer('left')
    await arena.next()
    expect(box.votes).toEqual([])
    arena.answer('right')
    arena.takeBack()
    arena.answer('neither')
    expect(store.getState().answers).toEqual({ quality: 'left', following: 'neither' })
    await arena.next()
    expect(box.votes).toHaveLength(1)
    expect(store.getState()).toMatchObject({
      round: 2,
      seen: false,
      answers: { quality: null, following: null },
    })
  })

  it('dreams the next round while this one is watched', async () => {
    const { arena, worlds } = set()
    await arena.begin()
    const dreamed = () => worlds[0].calls.filter((call) => call.startsWith('reset')).length
    await settle()
    await settle()
    expect(dreamed()).toBe(2)
  })

  it('tells of a failure, and the same round can be tried again', async () => {
    const { arena, store, worlds, box, vote } = set()
    const { step } = worlds[1]
    worlds[1].step = async () => {
      throw new Error('the device went away')
    }
    await arena.begin()
    expect(store.getState()).toMatchObject({
      phase: 'dreaming',
      trouble: { sentence: 'the device went away' },
    })
    worlds[1].step = step
    await arena.begin(1)
    expect(store.getState()).toMatchObject({ phase: 'showing', round: 1, trouble: null })
    await vote('right', 'neither')
    expect(box.votes).toHaveLength(1)
    arena.forget()
    expect(store.getState().votes).toEqual([])
  })
})
