import { expect, test } from 'vitest'
import { spaceOf } from './engine/controls'
import { DreamWorld } from './model/dream/dream-world'
import { openDreamNode } from './model/node'
import { loadTiny, tinyBackend, withManifest } from './model/testing'
import { doneOf, type Reading, rewardOf } from './scene/drive/telemetry'
import './worlds'

const INSTRUMENTS = ['speed', 'offset', 'heading', 'stuck'].map((name) => ({
  ...{ name, unit: '', centre: 0, spread: 1 },
}))

async function dreamOf(readings: typeof INSTRUMENTS, task: string | undefined): Promise<DreamWorld> {
  const files = await loadTiny(
    withManifest((manifest) => Object.assign(manifest, { telemetry: readings, task })),
  )
  return new DreamWorld({ files, backend: await tinyBackend(files) })
}

test("a dream of the drive has the simulator's own reward and end, of the readings that it dreams", async () => {
  const dream = await dreamOf(INSTRUMENTS, 'drive')
  expect(dream.info).toMatchObject({ reward: true, done: true })
  await dream.reset({ seed: 4 })
  const { idle } = spaceOf(dream.info.controls)
  for (let i = 0; i < 5; i++) {
    const { telemetry, reward, done } = await dream.step(idle)
    expect(reward).toBe(rewardOf(telemetry as Reading))
    expect(done).toBe(doneOf(telemetry as Reading))
  }
  await dream.close()
})

test.each([
  ['names no task', INSTRUMENTS, undefined],
  ['names one that nobody knows', INSTRUMENTS, 'chess'],
  ['lacks a reading that it needs', INSTRUMENTS.slice(0, 3), 'drive'],
])('a world that %s says that it has no reward, and makes none up', async (_, readings, task) => {
  const dream = await dreamOf(readings, task)
  expect(dream.info).toMatchObject({ reward: false, done: false })
  await dream.reset({ seed: 4 })
  const tick = await dream.step(spaceOf(dream.info.controls).idle)
  expect([tick.reward, tick.done]).toEqual([undefined, undefined])
  await dream.close()
})

test('a world may dream its reward and its end themselves, or one of them', async () => {
  const told = ['reward', 'done'].map((name) => ({ ...{ name, unit: '', centre: 1.85, spread: 1 } }))
  const dream = await dreamOf(told, 'outcome')
  expect(dream.info).toMatchObject({ reward: true, done: true })
  await dream.reset({ seed: 4 })
  const ends: boolean[] = []
  for (let i = 0; i < 20; i++) {
    const { telemetry, reward, done } = await dream.step(spaceOf(dream.info.controls).idle)
    expect(reward).toBe(telemetry!.reward)
    expect(done).toBe(telemetry!.done! >= 0.5)
    ends.push(done!)
  }
  expect(new Set(ends).size).toBe(2)
  await dream.close()
  const half = await dreamOf(told.slice(0, 1), 'outcome')
  expect(half.info).toMatchObject({ reward: true, done: false })
  await half.close()
})

test('the dream that ships has the reward and the end of its drive', async () => {
  const dream = await openDreamNode('assets/drive')
  expect(dream.info).toMatchObject({ prompt: true, reward: true, done: true })
  await dream.reset({ seed: 4 })
  const tick = await dream.step({ steer: 0, throttle: 1 })
  expect(tick.reward).toBeGreaterThan(0)
  expect(tick.done).toBe(false)
  await dream.close()
})
