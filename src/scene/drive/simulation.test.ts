import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { spaceOf } from '../../engine/controls'
import { Rng } from '../../engine/random'
import { DRIVE_CONTROLS, type DriveAction } from './controls'
import { promptPlan } from './episode'
import { lookFromArray, lookOf, lookToArray, mixLooks } from './look'
import { cos, hash01, sin } from './math'
import { startCar, stepCar } from './physics'
import { Driver } from './policy'
import { MORPH_RATE, MORPH_TICKS, Simulation } from './simulation'
import { doneOf, rewardOf } from './telemetry'
import { CORRIDOR, curvature, elevation, OFF_ROAD, PERIOD_METRES } from './track'

const space = spaceOf(DRIVE_CONTROLS)
const ACTIONS = Array.from({ length: space.size }, (_, code) => space.action(code) as DriveAction)
const IDLE = space.idle as DriveAction

const NOON = { biome: 'meadow', time: 'noon', weather: 'clear' } as const
const NIGHT = { biome: 'snow', time: 'night', weather: 'snowfall' } as const

function drive(seed: number, ticks: number): Simulation {
  const simulation = new Simulation(seed, NOON)
  const driver = new Driver(new Rng(seed, 17))
  for (let i = 0; i < ticks; i++) simulation.step(driver.act(simulation.reading()))
  return simulation
}

describe('arithmetic', () => {
  it('gives sines and cosines to 1e-6 without Math.sin', () => {
    for (let x = -20; x < 20; x += 0.0137) {
      expect(Math.abs(sin(x) - Math.sin(x))).toBeLessThan(1e-6)
      expect(Math.abs(cos(x) - Math.cos(x))).toBeLessThan(1e-6)
    }
  })

  it('spreads hashes evenly over seeds, indices and salts', () => {
    const bins = new Array(10).fill(0)
    for (let i = 0; i < 20_000; i++) bins[Math.floor(hash01(i % 7, i, i % 3) * 10)]++
    for (const count of bins) expect(Math.abs(count - 2000)).toBeLessThan(200)
  })
})

describe('physics', () => {
  it('gives the state it gave when it was written, bit for bit', () => {
    expect([1, 2, 1_000_000].map((seed) => drive(seed, 400).hash())).toMatchSnapshot()
  })

  it('keeps any driver in the corridor, facing along the road, at finite speed', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 2_000_000 }),
        fc.array(fc.integer({ min: 0, max: 8 }), { minLength: 50, maxLength: 200 }),
        (seed, codes) => {
          const car = startCar(seed)
          for (const code of codes) {
            const before = car.s
            stepCar(seed, car, ACTIONS[code]!)
            expect(Math.abs(car.d)).toBeLessThanOrEqual(CORRIDOR)
            expect(Math.abs(car.psi)).toBeLessThanOrEqual(0.5)
            expect(car.v).toBeGreaterThanOrEqual(0)
            expect(car.v).toBeLessThanOrEqual(30)
            expect(car.s).toBeGreaterThanOrEqual(before)
          }
        },
      ),
      { numRuns: 60 },
    )
  })

  it('steers the way it is told, goes on throttle and stops on the brake', () => {
    const run = (code: number, ticks: number) => {
      const car = { ...startCar(3), s: 0, d: 0, v: 15 }
      for (let i = 0; i < ticks; i++) stepCar(3, car, ACTIONS[code]!)
      return car
    }
    expect(run(7, 12).d).toBeGreaterThan(0.5)
    expect(run(1, 12).d).toBeLessThan(-0.5)
    expect(run(5, 20).v).toBeGreaterThan(17)
    expect(run(3, 40).v).toBe(0)
  })

  it('rewards progress on the road more than beside it', () => {
    const on = { speed: 10, heading: 0, offset: 0 }
    expect(rewardOf(on)).toBeCloseTo(0.5, 6)
    expect(rewardOf({ ...on, offset: 7 })).toBeCloseTo(0.5 / 3, 6)
  })

  it('ends a drive that is stuck beside the road for three seconds, and one that hits the bank at speed', () => {
    const stuck = new Simulation(3, NOON)
    Object.assign(stuck.car, { s: 0, d: 8, v: 0 })
    const dones = Array.from({ length: 61 }, () => {
      stuck.step({ steer: 0, throttle: -1 })
      return doneOf(stuck.reading())
    })
    expect(dones.indexOf(true)).toBe(59)
    expect(doneOf({ speed: 25, offset: -7.3, stuck: 0 })).toBe(true)
    expect(doneOf({ speed: 12, offset: -7.3, stuck: 0 })).toBe(false)
  })

  it('counts three seconds without moving anew once the car has moved, and lights the brakes on the brake alone', () => {
    const simulation = new Simulation(3, NOON)
    Object.assign(simulation.car, { s: 0, d: 8, v: 0, stuckTicks: 40 })
    simulation.step({ steer: 0, throttle: -1 })
    expect([simulation.car.stuckTicks, simulation.braking]).toEqual([41, true])
    simulation.step({ steer: 0, throttle: 1 })
    expect([simulation.car.stuckTicks, simulation.braking]).toEqual([0, false])
    simulation.step(IDLE)
    expect(simulation.braking).toBe(false)
  })

  it('gives as reward the way along the road', () => {
    const simulation = new Simulation(7, NOON)
    const driver = new Driver(new Rng(7, 17), 'keep')
    const start = simulation.car.s
    let sum = 0
    for (let i = 0; i < 200; i++) {
      simulation.step(driver.act(simulation.reading()))
      sum += rewardOf(simulation.reading())
    }
    expect(sum / (simulation.car.s - start)).toBeCloseTo(1, 1)
  })

  it('has a driver that keeps the road and uses all nine actions', () => {
    const counts = new Map<string, number>()
    let onRoad = 0
    for (let seed = 0; seed < 20; seed++) {
      const simulation = new Simulation(seed, NOON)
      const driver = new Driver(new Rng(seed, 17))
      for (let i = 0; i < 200; i++) {
        const action = driver.act(simulation.reading())
        counts.set(
          `${action.steer},${action.throttle}`,
          (counts.get(`${action.steer},${action.throttle}`) ?? 0) + 1,
        )
        simulation.step(action)
        if (Math.abs(simulation.car.d) < 6) onRoad++
      }
    }
    expect(counts.size).toBe(9)
    expect(Math.min(...counts.values())).toBeGreaterThan(40)
    expect(onRoad / 4000).toBeGreaterThan(0.7)
  })

  it('keeps who mashes the keys on the road nine ticks in ten', () => {
    let on = 0
    for (let seed = 0; seed < 40; seed++) {
      const simulation = new Simulation(seed, NOON)
      const driver = new Driver(new Rng(seed, 17), 'mash')
      for (let i = 0; i < 440; i++) {
        simulation.step(driver.act(simulation.reading()))
        if (Math.abs(simulation.car.d) <= OFF_ROAD) on++
      }
    }
    expect(on / (40 * 440)).toBeGreaterThan(0.9)
  })
})

describe('the driver that stops', () => {
  it('stands for more than five seconds now and then, and sets off again', () => {
    const simulation = new Simulation(3, NOON)
    const driver = new Driver(new Rng(3, 17), 'stop')
    const stands: number[] = []
    let standing = 0
    for (let i = 0; i < 4000; i++) {
      simulation.step(driver.act(simulation.reading()))
      if (simulation.car.v < 0.1) standing++
      else if (standing) {
        stands.push(standing)
        standing = 0
      }
    }
    expect(stands.length).toBeGreaterThan(5)
    expect(Math.max(...stands)).toBeGreaterThan(100)
  })
})

describe('the road', () => {
  it('bends and climbs without jumps', () => {
    for (let s = 0; s < 3000; s += 1) {
      expect(Math.abs(curvature(5, s + 1) - curvature(5, s))).toBeLessThan(1 / 1000)
      expect(Math.abs(elevation(5, s + 1) - elevation(5, s))).toBeLessThan(0.2)
    }
  })
})

describe('what passes', () => {
  it('stands where the phase says', () => {
    const simulation = new Simulation(5, NOON)
    for (let i = 0; i < 30; i++) simulation.step({ steer: 0, throttle: 1 })
    const { phaseSin, phaseCos } = simulation.reading()
    const phase = (Math.atan2(phaseSin, phaseCos) / (2 * Math.PI)) * PERIOD_METRES
    expect((phase + PERIOD_METRES) % PERIOD_METRES).toBeCloseTo(simulation.car.s % PERIOD_METRES, 4)
  })
})

describe('the look', () => {
  it('survives being written to numbers and back', () => {
    expect(lookFromArray(lookToArray(lookOf(NIGHT)))).toEqual(lookOf(NIGHT))
  })

  it('mixes from one end to the other', () => {
    expect(mixLooks(lookOf(NOON), lookOf(NIGHT), 0)).toEqual(lookOf(NOON))
    expect(mixLooks(lookOf(NOON), lookOf(NIGHT), 1).flakes).toBe(1)
  })

  it('goes the same part of the way to new words in every tick, also from mid-morph, and arrives', () => {
    const simulation = new Simulation(1, NOON)
    simulation.become(NIGHT)
    for (let i = 0; i < 12; i++) {
      if (i === 8) simulation.become(NOON)
      const goal = lookOf(simulation.setting).skyTop[2]
      const before = simulation.look().skyTop[2]
      simulation.step(IDLE)
      expect(simulation.look().skyTop[2]).toBeCloseTo(before + MORPH_RATE * (goal - before), 12)
    }
    for (let i = 0; i < MORPH_TICKS; i++) simulation.step(IDLE)
    expect(simulation.look()).toEqual(lookOf(NOON))
  })
})

describe('snapshots', () => {
  it('go on exactly as if nothing had happened', () => {
    const a = drive(9, 50)
    a.become(NIGHT)
    a.step(IDLE)
    const b = Simulation.fromArray(9, NIGHT, a.toArray())
    for (let i = 0; i < 30; i++) {
      a.step(ACTIONS[i % 9]!)
      b.step(ACTIONS[i % 9]!)
    }
    expect(b.hash()).toBe(a.hash())
    expect(b.look()).toEqual(a.look())
  })
})

describe('prompt plans', () => {
  it('change in mid-drive at most every 50 ticks after a first 20 and are the same for a seed', () => {
    for (let seed = 0; seed < 50; seed++) {
      const plan = promptPlan(seed, 160)
      expect(plan).toEqual(promptPlan(seed, 160))
      expect(plan[0]!.tick).toBe(0)
      plan.slice(1).forEach((point, i) => {
        expect(point.tick - plan[i]!.tick).toBeGreaterThanOrEqual(i ? 50 : 20)
      })
    }
  })
})
