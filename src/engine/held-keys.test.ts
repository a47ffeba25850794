import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Move, spaceOf } from './controls'
import { HeldKeys } from './held-keys'
import { FAKE, IDLE } from './testing/fake-world'

const [left, right, dark, bright] = FAKE.moves as [Move, Move, Move, Move]

test('nothing held is idle', () => {
  expect(new HeldKeys().sample(FAKE)).toBe(IDLE)
})

test('of the moves of one control the newest wins, and the older counts again when it is let go', () => {
  const keys = new HeldKeys()
  keys.press('ArrowLeft', left)
  keys.press('ArrowUp', bright)
  keys.press('KeyD', right)
  expect(keys.sample(FAKE)).toEqual({ slide: 1, light: 1 })
  keys.release('KeyD')
  expect(keys.sample(FAKE)).toEqual({ slide: -1, light: 1 })
})

test('the repeat of a held key does not make it the newest', () => {
  const keys = new HeldKeys()
  keys.press('ArrowLeft', left)
  keys.press('ArrowRight', right)
  keys.press('ArrowLeft', left)
  expect(keys.sample(FAKE).slide).toBe(1)
})

test('two keys may hold one move', () => {
  const keys = new HeldKeys()
  keys.press('ArrowDown', dark)
  keys.press('KeyS', dark)
  keys.release('ArrowDown')
  expect(keys.sample(FAKE).light).toBe(-1)
})

test('clear lets everything go, and a release afterwards is harmless', () => {
  const keys = new HeldKeys()
  keys.press('ArrowUp', bright)
  keys.clear()
  keys.release('ArrowUp')
  expect(keys.sample(FAKE)).toBe(IDLE)
  expect(keys.holdsAny).toBe(false)
})

test('a key held in one world counts for nothing in another that has no such move', () => {
  const keys = new HeldKeys()
  keys.press('ArrowUp', bright)
  const other = spaceOf([{ name: 'jump', kind: 'button' }])
  expect(keys.sample(other)).toEqual({ jump: 0 })
})

test('for any presses and releases, a control follows its newest held key', () => {
  const event = fc.record({
    key: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
    move: fc.constantFrom(...FAKE.moves),
    down: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(event), (events) => {
      const keys = new HeldKeys()
      let held: { key: string; move: Move }[] = []
      for (const { key, move, down } of events) {
        const same = held.some((entry) => entry.key === key && entry.move === move)
        if (!down) held = held.filter((entry) => entry.key !== key)
        else if (!same) held = [...held.filter((entry) => entry.key !== key), { key, move }]
        if (down) keys.press(key, move)
        else keys.release(key)
      }
      const newest = (control: string) =>
        held.filter(({ move }) => move.control === control).at(-1)?.move.value ?? 0
      expect(keys.sample(FAKE)).toEqual({ slide: newest('slide'), light: newest('light') })
    }),
  )
})
