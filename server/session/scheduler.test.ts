import { describe, expect, it } from 'vitest'
import { FakeTime, settle } from '../../src/engine/testing/fake-time'
import { IDLE } from '../../src/engine/testing/fake-world'
import { FakeEngine } from '../testing/servers'
import {
  type BatchReport,
  type Schedulable,
  Scheduler,
  SPARE_MS,
  type Ticked,
  type TickInput,
} from './scheduler'

const PERIOD = 50

class Player implements Schedulable {
  readonly got: Ticked[] = []
  readonly errors: unknown[] = []
  constructor(
    readonly id: string,
    public realtime = true,
  ) {}
  tickInput(): TickInput | null {
    return { action: IDLE, formats: ['latents'] }
  }
  ticked(ticked: Ticked): void {
    this.got.push(ticked)
  }
  failed(error: unknown): void {
    this.errors.push(error)
  }
}

async function started({ players = 1, costMs = 0, maxBatch = 8, realtime = true } = {}) {
  const time = new FakeTime()
  const begunAt: number[] = []
  const engine = new FakeEngine(maxBatch, async () => {
    begunAt.push(time.now())
    if (costMs > 0) await time.sleep(costMs)
  })
  const reports: BatchReport[] = []
  const scheduler = new Scheduler(engine, PERIOD, time, (report) => reports.push(report))
  const all = Array.from({ length: players }, (_, i) => new Player(`p${i}`, realtime))
  for (const player of all) {
    await engine.reset(player.id, { seed: 0 }, 'latents')
    scheduler.add(player)
  }
  scheduler.start()
  return { time, engine, scheduler, players: all, begunAt, reports }
}

describe('realtime', () => {
  it('ticks on a fixed grid, however long a tick takes within its period', async () => {
    const { time, begunAt, scheduler } = await started({ costMs: 30 })
    await time.run(1000)
    expect(begunAt).toEqual(Array.from({ length: 21 }, (_, i) => i * PERIOD))
    expect(scheduler.stats.missedPeriods).toBe(0)
  })

  it('computes all that are due in one run', async () => {
    const { time, reports } = await started({ players: 5 })
    await time.run(100)
    expect(reports.map(({ batch }) => batch)).toEqual([5, 5, 5])
  })

  it('slows everybody alike where the machine cannot hold the rate', async () => {
    const { time, players, scheduler } = await started({ players: 6, maxBatch: 4, costMs: 40 })
    await time.run(4000)
    const counts = players.map(({ got }) => got.length)
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1)
    expect(counts[0]).toBeGreaterThan(55)
    expect(scheduler.stats.overdueTicks).toBeGreaterThan(50)
  })

  it('never queues ticks: after a long stall a session ticks once, and goes on', async () => {
    let stallMs = 1000
    const time = new FakeTime()
    const engine = new FakeEngine(8, async () => {
      await time.sleep(stallMs)
      stallMs = 1
    })
    const scheduler = new Scheduler(engine, PERIOD, time)
    const player = new Player('a')
    await engine.reset('a', { seed: 0 }, 'latents')
    scheduler.add(player)
    scheduler.start()
    await time.run(1200)
    expect(player.got.length).toBe(5)
    expect(scheduler.stats.missedPeriods).toBe(19)
  })
})

describe('lockstep', () => {
  it('ticks when asked and not before, without waiting for the grid', async () => {
    const { time, engine, players, scheduler } = await started({ realtime: false })
    await time.run(175)
    expect(engine.steps).toEqual([])
    scheduler.request(players[0]!)
    await settle()
    expect(players[0]!.got).toHaveLength(1)
    expect(players[0]!.got[0]!.queueMs).toBe(0)
  })

  it('one who asks without pause does not hold up those who play', async () => {
    const { time, players, scheduler } = await started({ players: 3, maxBatch: 2, costMs: 10 })
    const hungry = players[0]!
    hungry.realtime = false
    hungry.ticked = (ticked) => {
      hungry.got.push(ticked)
      scheduler.request(hungry)
    }
    scheduler.request(hungry)
    await time.run(1000)
    expect(players[1]!.got.length).toBeGreaterThanOrEqual(20)
    expect(players[2]!.got.length).toBeGreaterThanOrEqual(20)
    expect(scheduler.stats.missedPeriods).toBe(0)
  })
})

it('tells every session of a run that it failed, and goes on', async () => {
  const { time, engine, players } = await started({ players: 2 })
  await time.run(10)
  const { step } = engine
  engine.step = async () => {
    throw new Error('the device went away')
  }
  await time.run(50)
  engine.step = step
  await time.run(50)
  expect(players.map(({ errors, got }) => [errors.length, got.length])).toEqual([
    [1, 2],
    [1, 2],
  ])
})

it('a session that cannot take its tick fails alone', async () => {
  const { time, players } = await started({ players: 3 })
  const [first, broken, last] = players as [Player, Player, Player]
  broken.ticked = () => {
    throw new Error('its frame is too large')
  }
  await time.run(60)
  expect([first, last].map(({ errors, got }) => [errors.length, got.length])).toEqual([
    [0, 2],
    [0, 2],
  ])
  expect(broken.errors).toEqual([new Error('its frame is too large'), new Error('its frame is too large')])
})

it('a session that was removed is not computed any more', async () => {
  const { time, engine, scheduler } = await started({ players: 2 })
  await time.run(10)
  scheduler.remove('p0')
  await time.run(100)
  expect(engine.steps.at(-1)!.map(({ session }) => session)).toEqual(['p1'])
})

it('stops after the run under way, and leaves no timer', async () => {
  const { time, scheduler, players } = await started({ costMs: 30 })
  await time.run(10)
  const stopped = scheduler.stop()
  await time.run(30)
  await stopped
  expect(players[0]!.got).toHaveLength(1)
  await time.run(500)
  expect(players[0]!.got).toHaveLength(1)
})

describe('what is no tick', () => {
  const waited = async (time: FakeTime, scheduler: Scheduler) => {
    const fromMs = time.now()
    let atMs = -1
    void scheduler.spare().then(() => {
      atMs = time.now()
    })
    for (let i = 0; i < 100 && atMs < 0; i++) await time.run(5)
    return atMs - fromMs
  }

  it('goes on at once where nobody is due, and between ticks where there is time', async () => {
    const { time, scheduler } = await started({ costMs: 20 })
    await time.run(30)
    expect(await waited(time, scheduler)).toBe(0)
    await time.run(50 - (time.now() % 50) + 5)
    expect(await waited(time, scheduler)).toBeLessThanOrEqual(20)
  })

  it('waits on a machine that is behind, but not for ever', async () => {
    const { time, scheduler } = await started({ players: 6, maxBatch: 4, costMs: 40 })
    await time.run(500)
    const ms = await waited(time, scheduler)
    expect(ms).toBeGreaterThanOrEqual(SPARE_MS)
    expect(ms).toBeLessThan(SPARE_MS + 100)
  })

  it('goes on where the ticks are stopped', async () => {
    const { time, scheduler } = await started({ players: 6, maxBatch: 4, costMs: 40 })
    await time.run(500)
    const spare = scheduler.spare()
    const stopped = scheduler.stop()
    await time.run(100)
    await stopped
    await spare
    await scheduler.spare()
  })
})
