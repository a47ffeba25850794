import { expect, it } from 'vitest'
import { RoadWatch } from './road-watch'

const at = (offset: number, speed = 14, stuck = 0) => ({ offset, speed, stuck })

it('calls a drive broken after a second beside the road, since when it was last well on it', () => {
  const watch = new RoadWatch()
  watch.see(at(1), 10)
  watch.see(at(5), 11)
  for (let tick = 12; tick < 32; tick++) watch.see(at(-7), tick)
  expect(watch.wellBefore).toBeNull()
  watch.see(at(-7), 32)
  expect(watch.wellBefore).toBe(10)
})

it('forgives a moment beside the road', () => {
  const watch = new RoadWatch()
  watch.see(at(0), 0)
  for (let tick = 1; tick < 100; tick++) watch.see(at(tick % 15 === 0 ? 6 : 7), tick)
  expect(watch.wellBefore).toBeNull()
})

it('calls it broken at once where the drive is done: crashed, or stuck', () => {
  const crashed = new RoadWatch()
  crashed.see(at(0), 1)
  crashed.see(at(7.5, 22), 2)
  expect(crashed.wellBefore).toBe(1)
  const stuck = new RoadWatch()
  stuck.see(at(0), 1)
  stuck.see(at(3, 0, 1), 2)
  expect(stuck.wellBefore).toBe(2)
})

it('begins anew where the drive goes back, and says nothing without instruments', () => {
  const watch = new RoadWatch()
  watch.see(at(0), 50)
  watch.see(at(8, 22), 60)
  watch.see(at(7), 20)
  expect(watch.wellBefore).toBeNull()
  watch.see(at(8, 22), 21)
  expect(watch.wellBefore).toBe(21)
  watch.see(null, 22)
  expect(watch.wellBefore).toBeNull()
})
