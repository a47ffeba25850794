import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { LockstepClock } from '../../engine/clock'
import { Loop } from '../../engine/loop'
import { RUN_TICKS, RunCheck, scheduleOf, seedOfDay } from '../../engine/run'
import { FakeWorld, type FakeWorldOptions, IDLE } from '../../engine/testing/fake-world'
import { Timeline } from '../../engine/timeline'
import { createAppStore } from '../store'
import { bestOf, keepBest } from './best'
import { pointsOf } from './chart'
import { sentenceOn, shareText } from './panel'
import { Run } from './run'

vi.mock('./run.css', () => ({}))

const DAY = '2026-11-29'
const PRESETS = ['rain', 'night', 'fog'].map((text) => ({ id: text, text }))
const TEXTS = PRESETS.map(({ text }) => text)
const RULE = { unit: 'm', gain: () => 1 }

beforeEach(() => {
  const kept = new Map<string, string>()
  vi.stubGlobal('localStorage', {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => kept.set(key, value),
  })
})
afterEach(() => vi.unstubAllGlobals())

async function setup(options: FakeWorldOptions = {}) {
  const store = createAppStore({ presets: PRESETS })
  const timeline = new Timeline(new FakeWorld(options), { every: 10, capacity: 200 })
  const loop = new Loop(timeline, new LockstepClock(), { sample: () => IDLE, clear() {} })
  const run = new Run(
    store,
    {
      world: timeline,
      beginWith: async (seed, text) => {
        await loop.reset({ seed, ...(text ? { prompt: { text } } : {}) })
      },
      tellNow: (text) => void loop.setPrompt({ text }),
      play() {},
      log: () => timeline.log(),
    },
    () => RULE,
  )
  loop.listen((event) => run.hear(event, timeline))
  await loop.reset({ seed: 1 })
  const steps = async (count: number) => {
    for (let i = 0; i < count; i++) await loop.step()
  }
  return { store, run, loop, timeline, steps }
}

describe('a run', () => {
  it('ends after its ticks with a score, a proof that holds, and a best that is kept', async () => {
    const { store, run, steps } = await setup()
    await run.start(DAY)
    expect(store.getState().run).toMatchObject({ day: DAY, spent: 0, score: 0, best: null, done: false })
    await steps(RUN_TICKS)
    expect(store.getState().run).toMatchObject({ spent: RUN_TICKS, score: RUN_TICKS, done: true })
    const log = run.log!
    expect(log.run).toEqual({ day: DAY, score: RUN_TICKS })
    expect(log.begin).toEqual({
      reset: { seed: seedOfDay(DAY), prompt: { text: scheduleOf(DAY, TEXTS)[0]!.text } },
    })
    const check = new RunCheck(log, RULE)
    for (let index = 0; index <= RUN_TICKS; index++)
      check.hear({ index, epoch: 1, frame: null, telemetry: {}, timings: {} })
    expect(check.fault(TEXTS)).toBeNull()
    expect(bestOf(DAY, 'fake-model')).toMatchObject({ score: RUN_TICKS })
    await steps(5)
    expect(store.getState().run?.spent).toBe(RUN_TICKS)
    await run.start(DAY)
    expect(store.getState().run?.best?.line).toHaveLength(61)
  })

  it('counts what a GPU reads later as it counts what comes with a tick', async () => {
    const { store, run, steps } = await setup({ framesOnGpu: true })
    await run.start(DAY)
    await steps(RUN_TICKS)
    await vi.waitFor(
      () => expect(store.getState().run).toMatchObject({ score: RUN_TICKS, done: true }),
      10_000,
    )
    expect(run.log?.run?.score).toBe(RUN_TICKS)
  })

  it('pays for going back with time, and has the words of its day all the same', async () => {
    const { store, run, loop, timeline, steps } = await setup()
    await run.start(DAY)
    await steps(300)
    await loop.jump(() => timeline.seek(120))
    expect(store.getState().run).toMatchObject({ spent: 300, score: 120 })
    await steps(RUN_TICKS - 300)
    expect(store.getState().run).toMatchObject({ spent: RUN_TICKS, score: RUN_TICKS - 180, done: true })
    const check = new RunCheck(run.log!, RULE)
    for (let index = 0; index <= RUN_TICKS - 180; index++)
      check.hear({ index, epoch: 1, frame: null, telemetry: {}, timings: {} })
    expect(check.fault(TEXTS)).toBeNull()
  })

  it.each<[string, (parts: Awaited<ReturnType<typeof setup>>) => unknown, RegExp]>([
    ['own words', ({ loop }) => loop.setPrompt('a green moon'), /chose the words yourself/],
    ['another drive', ({ loop }) => loop.reset({ seed: 3 }), /Another drive began/],
    ['a snapshot', async ({ loop }) => loop.restore(await loop.snapshot()), /Another drive began/],
  ])('ends with %s, and says so', async (_, change, sentence) => {
    const parts = await setup()
    await parts.run.start(DAY)
    await parts.steps(10)
    await change(parts)
    expect(parts.store.getState().run).toBeNull()
    expect(parts.store.getState().notices.at(-1)?.text).toMatch(sentence)
  })

  it('is offered on this device, and not on a server or in two worlds at once', async () => {
    const { store, run, timeline } = await setup()
    const offered = (state: object) => {
      store.setState({ place: 'device', shown: 'dream', ...state })
      run.meet(timeline.info)
      return store.getState().runnable
    }
    expect([offered({}), offered({ place: 'server' }), offered({ shown: 'both' })]).toEqual([
      true,
      false,
      false,
    ])
    expect(offered({ shown: 'simulator', place: 'server' })).toBe(true)
  })
})

describe('the best run', () => {
  const line = Array.from({ length: 61 }, (_, i) => i)

  it('is kept by day and model, and only a better one takes its place', () => {
    expect(keepBest(DAY, 'a', { score: 60, line })).toBe(true)
    keepBest(DAY, 'a', { score: 50, line })
    keepBest(DAY, 'b', { score: 70, line })
    expect([bestOf(DAY, 'a')?.score, bestOf(DAY, 'b')?.score, bestOf('2026-11-30', 'a')]).toEqual([
      60,
      70,
      null,
    ])
  })

  it('is forgotten after thirty days with a run, the oldest first', () => {
    const days = Array.from({ length: 31 }, (_, i) => `2026-10-${String(i + 1).padStart(2, '0')}`)
    for (const day of days) keepBest(day, 'model', { score: 1, line })
    expect(days.map((day) => bestOf(day, 'model') !== null)).toEqual([false, ...Array(30).fill(true)])
  })

  it('is none where the browser keeps nothing, or what it kept is damaged', () => {
    localStorage.setItem('oneiro.runs', '{"2026-11-29 a": {"score": "much"}}')
    expect(bestOf(DAY, 'a')).toBeNull()
    localStorage.setItem('oneiro.runs', '{')
    expect(bestOf(DAY, 'a')).toBeNull()
    vi.stubGlobal('localStorage', undefined)
    expect([bestOf(DAY, 'a'), keepBest(DAY, 'a', { score: 1, line })]).toEqual([null, false])
  })
})

it('draws a line from the bottom left, and says what a run was', () => {
  expect(pointsOf([0, 50, 100], 2, 100)).toBe('0.0,40.0 60.0,20.0 120.0,0.0')
  const run = { day: DAY, unit: 'm', spent: RUN_TICKS, score: 1234.4, line: [], best: null, done: true }
  expect(shareText(run, 'http://here/?run=2026-11-29')).toBe(
    'Oneiro, 29 November 2026: 1,234 m of dreamed road in a minute.\nhttp://here/?run=2026-11-29',
  )
  expect(sentenceOn({ ...run, best: { score: 1200, line: [] } })).toMatch(/34 m farther/)
  expect(sentenceOn({ ...run, best: { score: 1300, line: [] } })).toMatch(/best of this day is 1,300 m/)
})
