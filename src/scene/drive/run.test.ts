import { describe, expect, it } from 'vitest'
import { Rng } from '../../engine/random'
import { RUN_TICKS, Tally } from '../../engine/run'
import type { DriveAction } from './controls'
import { keepToRoad } from './lane-keeper'
import { Driver } from './policy'
import { runFor } from './run'
import { Simulation } from './simulation'
import { TELEMETRY } from './telemetry'

const rule = runFor({ reward: true, telemetry: TELEMETRY })!

/** Score of a whole run on the drive's physics. */
function run(seed: number, act: (simulation: Simulation) => DriveAction): number {
  const simulation = new Simulation(seed, { biome: 'snow', time: 'dusk', weather: 'clear' })
  const tally = new Tally(rule)
  for (let tick = 1; tick <= RUN_TICKS; tick++) {
    simulation.step(act(simulation))
    if (Tally.counts(tick)) tally.count(tick, simulation.reading())
  }
  return tally.scoreAt(RUN_TICKS)
}

describe('a run on the drive', () => {
  it('counts metres on the road, and none beside it, backwards or standing', () => {
    expect(rule.unit).toBe('m')
    expect(rule.gain({ speed: 20, offset: 0, heading: 0 })).toBeCloseTo(1)
    expect(rule.gain({ speed: 20, offset: -7, heading: 0 })).toBe(0)
    expect(rule.gain({ speed: 20, offset: 0, heading: Math.PI })).toBe(0)
    expect(rule.gain({ speed: 0, offset: 0, heading: 0 })).toBe(0)
  })

  it('has a score under cruise and under a careful person in every seed, and little under one who stands', () => {
    for (const seed of [20261129, 20261130, 20261201]) {
      expect(run(seed, (simulation) => keepToRoad(simulation.reading()))).toBeGreaterThan(1000)
      const person = new Driver(new Rng(seed), 'careful')
      expect(run(seed, (simulation) => person.act(simulation.reading()))).toBeGreaterThan(600)
      expect(run(seed, () => ({ steer: 0, throttle: -1 }))).toBeLessThan(60)
    }
  })

  it('is none in a world without these instruments, or without a task', () => {
    expect(runFor({ reward: true, telemetry: [{ name: 'speed', unit: 'm/s' }] })).toBeNull()
    expect(runFor({ reward: false, telemetry: TELEMETRY })).toBeNull()
    expect(runFor({ reward: false, telemetry: [] })).toBeNull()
  })
})
