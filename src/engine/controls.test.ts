import fc from 'fast-check'
import { expect, test } from 'vitest'
import { IDLE } from './action'
import { Controls, type Direction } from './controls'

test('nothing held is idle', () => {
  expect(new Controls().sample()).toEqual(IDLE)
})

test('of opposite keys the newest wins, and the older counts again when it is let go', () => {
  const controls = new Controls()
  controls.press('ArrowLeft', 'left')
  controls.press('ArrowUp', 'up')
  controls.press('KeyD', 'right')
  expect(controls.sample()).toEqual({ steer: 1, throttle: 1 })
  controls.release('KeyD')
  expect(controls.sample()).toEqual({ steer: -1, throttle: 1 })
})

test('the repeat of a held key does not make it the newest', () => {
  const controls = new Controls()
  controls.press('ArrowLeft', 'left')
  controls.press('ArrowRight', 'right')
  controls.press('ArrowLeft', 'left')
  expect(controls.sample().steer).toBe(1)
})

test('two keys may hold one direction', () => {
  const controls = new Controls()
  controls.press('ArrowDown', 'down')
  controls.press('KeyS', 'down')
  controls.release('ArrowDown')
  expect(controls.sample().throttle).toBe(-1)
  expect(controls.holds('down')).toBe(true)
})

test('clear lets everything go, and a release afterwards is harmless', () => {
  const controls = new Controls()
  controls.press('ArrowUp', 'up')
  controls.clear()
  controls.release('ArrowUp')
  expect(controls.sample()).toEqual(IDLE)
  expect(controls.holds('up')).toBe(false)
})

test('for any presses and releases, an axis follows its newest held key', () => {
  const direction = fc.constantFrom<Direction>('left', 'right', 'up', 'down')
  const event = fc.record({ key: fc.constantFrom('a', 'b', 'c', 'd', 'e'), direction, down: fc.boolean() })
  fc.assert(
    fc.property(fc.array(event), (events) => {
      const controls = new Controls()
      let held: { key: string; direction: Direction }[] = []
      for (const { key, direction, down } of events) {
        const same = held.some((entry) => entry.key === key && entry.direction === direction)
        if (!down) held = held.filter((entry) => entry.key !== key)
        else if (!same) held = [...held.filter((entry) => entry.key !== key), { key, direction }]
        if (down) controls.press(key, direction)
        else controls.release(key)
      }
      const newest = (low: Direction, high: Direction) => {
        const last = held.filter((entry) => entry.direction === low || entry.direction === high).at(-1)
        return last === undefined ? 0 : last.direction === low ? -1 : 1
      }
      expect(controls.sample()).toEqual({ steer: newest('left', 'right'), throttle: newest('down', 'up') })
    }),
  )
})
