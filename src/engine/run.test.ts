import { describe, expect, it } from 'vitest'
import type { ActionLog } from './action-log'
import { dayOf, RUN_TICKS, RunCheck, type RunRule, scheduleOf, seedOfDay, Tally } from './run'
import { FakeWorld, IDLE } from './testing/fake-world'
import { Timeline } from './timeline'

const WORDS = ['rain', 'night', 'fog', 'snow']
const DAY = '2026-11-29'
const ONE: RunRule = { unit: 'm', gain: () => 1 }

describe('a day', () => {
  it('is the same all over the world, and a seed', () => {
    expect(dayOf(new Date('2026-11-29T23:59:59-10:00'))).toBe('2026-11-30')
    expect(seedOfDay(DAY)).toBe(20261129)
  })

  it.each(['2026-13-01', '2026-02-30', 'today', '2026-1-1', ''])('is not "%s"', (text) => {
    expect(() => seedOfDay(text)).toThrow(/A day is written as 2026-11-29/)
  })
})

describe('the words of a day', () => {
  it('are those of that day alone, and never follow themselves', () => {
    const schedule = scheduleOf(DAY, WORDS)
    expect(schedule).toEqual(scheduleOf(DAY, WORDS))
    expect(schedule).not.toEqual(scheduleOf('2026-11-30', WORDS))
    expect(schedule[0]!.tick).toBe(0)
    expect(schedule.length).toBeGreaterThan(4)
    for (const [i, { tick, text }] of schedule.slice(1).entries()) {
      expect(text).not.toBe(schedule[i]!.text)
      const stayed = tick - schedule[i]!.tick
      expect(stayed).toBeGreaterThanOrEqual(140)
      expect(stayed).toBeLessThanOrEqual(270)
      // Where going back lands, words would be told twice.
      expect(tick % 10).toBe(5)
      expect(tick).toBeLessThan(RUN_TICKS)
    }
  })

  it('are none where the world knows none, and one where it knows one', () => {
    expect(scheduleOf(DAY, [])).toEqual([])
    expect(new Set(scheduleOf(DAY, ['rain']).map(({ text }) => text))).toEqual(new Set(['rain']))
  })
})

describe('a tally', () => {
  it('counts every fourth tick for four', () => {
    const tally = new Tally({ unit: 'm', gain: ({ speed }) => speed! })
    for (let tick = 1; tick <= 10; tick++) if (Tally.counts(tick)) tally.count(tick, { speed: tick })
    expect([0, 3, 4, 7, 8, 10].map((tick) => tally.scoreAt(tick))).toEqual([0, 0, 16, 16, 48, 48])
  })

  it('forgets what was taken back, and counts nothing for readings that are not known', () => {
    const tally = new Tally(ONE)
    for (const tick of [4, 8, 12, 16]) tally.count(tick, {})
    expect(tally.scoreAt(16)).toBe(16)
    tally.count(8, {})
    expect([tally.scoreAt(8), tally.scoreAt(16)]).toEqual([8, 8])
    tally.count(12, null)
    expect(tally.scoreAt(12)).toBe(8)
    tally.count(16, { speed: Number.NaN })
    expect(new Tally({ unit: '', gain: () => Number.NaN }).scoreAt(4)).toBe(0)
  })
})

/** A run on the fake world, with the words of its day, and back once for 60 ticks. */
async function runLog(ticks = 300): Promise<ActionLog> {
  const [first, ...changes] = scheduleOf(DAY, WORDS)
  const world = new Timeline(new FakeWorld(), { every: 10 })
  await world.reset({ seed: seedOfDay(DAY), prompt: { text: first!.text } })
  let went = false
  for (let tick = 0; tick < ticks; tick++) {
    const change = changes.find((one) => one.tick === tick)
    if (change) await world.setPrompt({ text: change.text })
    await world.step(IDLE)
    if (tick !== 250 || went) continue
    went = true
    await world.seek(190)
    tick = 189
  }
  return { ...world.log(), run: { day: DAY, score: ticks } }
}

function checked(log: ActionLog): RunCheck {
  const check = new RunCheck(log, ONE)
  for (let index = 0; index <= log.actions.length; index++)
    check.hear({ index, epoch: 1, frame: null, telemetry: {}, timings: {} })
  return check
}

describe('the proof of a run', () => {
  it('holds where seed, words and score are those of the day, also where the drive went back', async () => {
    const check = checked(await runLog())
    expect([check.fault(WORDS), check.score]).toEqual([null, 300])
  })

  it.each<[string, (log: ActionLog) => object, RegExp]>([
    [
      'another score',
      () => ({ run: { day: DAY, score: 400 } }),
      /The log says 400.0, but its actions make 300.0/,
    ],
    ['another day', () => ({ run: { day: '2026-11-30', score: 300 } }), /The seed of 2026-11-30 is 20261130/],
    ['words left out', () => ({ prompts: [] }), /other words/],
    [
      'words at another tick',
      ({ prompts }) => ({ prompts: prompts.map((one) => ({ ...one, afterTick: one.afterTick + 1 })) }),
      /at other ticks/,
    ],
    ['more ticks', () => ({ actions: Array(RUN_TICKS + 1).fill(0) }), /1200 ticks, but 1201 came/],
    [
      'a start state',
      () => ({ begin: { reset: { seed: 20261129, start: 'here', prompt: { text: 'x' } } } }),
      /start state/,
    ],
    ['no run at all', () => ({ run: undefined }), /not that of a run/],
  ])('does not hold with %s', async (_, change, fault) => {
    const log = await runLog()
    const check = checked(log)
    // The ticks were those of the true log: only what is claimed is another.
    Object.assign(check, { log: { ...log, ...change(log) } })
    expect(check.fault(WORDS)).toMatch(fault)
  })
})
