import { describe, expect, it } from 'vitest'
import { Rng } from '../../engine/random'
import type { DriveAction } from './controls'
import { assistOnRoad } from './lane-keeper'
import { Driver, type PolicyName } from './policy'
import { Simulation } from './simulation'
import { ROAD_HALF_WIDTH } from './track'

const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8]
const TICKS = 400

/** How far cars get from the middle of their roads, and the share of ticks in which assist changed what was asked for. */
function drive(ask: PolicyName | DriveAction['steer'], assisted: boolean) {
  let furthest = 0
  let changed = 0
  for (const seed of SEEDS) {
    const simulation = new Simulation(seed, { biome: 'snow', time: 'dusk', weather: 'clear' })
    const person = typeof ask === 'string' ? new Driver(new Rng(seed), ask) : null
    for (let tick = 0; tick < TICKS; tick++) {
      const reading = simulation.reading()
      const action = person?.act(reading) ?? { steer: ask as DriveAction['steer'], throttle: 1 }
      const steer = (assisted ? assistOnRoad(reading, action.steer) : action.steer) as DriveAction['steer']
      if (steer !== action.steer) changed++
      simulation.step({ ...action, steer })
      if (tick > 40) furthest = Math.max(furthest, Math.abs(simulation.car.d))
    }
  }
  return { furthest, changed: changed / SEEDS.length / TICKS }
}

describe('assist', () => {
  it.each(['mash', 'edge', 0, -1, 1] as const)('keeps who does %s on the road', (ask) => {
    expect(drive(ask, false).furthest).toBeGreaterThan(ROAD_HALF_WIDTH)
    expect(drive(ask, true).furthest).toBeLessThan(ROAD_HALF_WIDTH)
  })

  it('lets who drives well drive', () => {
    expect(drive('keep', true).changed).toBeLessThan(0.35)
  })

  it('leaves everything to the person where there are no instruments, and in the middle of the road', () => {
    expect(assistOnRoad(null, -1)).toBe(-1)
    expect(assistOnRoad(null, 0)).toBe(0)
    const middle = { speed: 25, offset: 0, heading: 0, wheel: 0, curvature: 0, bendNear: 0 }
    for (const steer of [-1, 0, 1]) expect(assistOnRoad(middle, steer)).toBe(steer)
  })
})
