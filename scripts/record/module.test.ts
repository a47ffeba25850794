import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inflateSync } from 'node:zlib'
import { unpack } from 'msgpackr'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { FakeWorld } from '../../src/engine/testing/fake-world'
import { EpisodeFolder } from './files'
import { checkRecordable, loadWorldModule, recordModuleEpisode } from './module'

const SNAKE = 'examples/snake/world.ts'
let out = ''
beforeEach(async () => {
  out = await mkdtemp(join(tmpdir(), 'oneiro-record-'))
})
afterEach(() => rm(out, { recursive: true, force: true }))

test('an episode of a module has its frames, and the keys that lead from one to the next', async () => {
  const module = await loadWorldModule(SNAKE)
  const world = await module.openWorld()
  const episode = await recordModuleEpisode(module, world, 5, 40)
  expect(episode).toMatchObject({
    version: 4,
    world: 'snake',
    title: 'Snake',
    ticks: 40,
    width: 96,
    height: 64,
  })
  expect(episode.telemetryNames).toEqual(['apples', 'length'])
  const { buffer, byteOffset } = episode.actions
  const actions = new Float32Array(buffer, byteOffset, 80)
  await world.reset({ seed: 5 })
  for (let t = 0; t < 40; t++) {
    const { data } = await world.readPixels()
    const rgb = Uint8Array.from(data.filter((_, i) => i % 4 < 3))
    expect(Buffer.compare(rgb, episode.frames.subarray(t * rgb.length, (t + 1) * rgb.length))).toBe(0)
    await world.step({ x: actions[2 * t]!, y: actions[2 * t + 1]! })
  }
  const again = await recordModuleEpisode(module, world, 5, 40)
  for (const part of ['frames', 'actions', 'telemetry', 'rewards', 'dones'] as const)
    expect(Buffer.compare(again[part], episode[part])).toBe(0)
})

test('a world without a policy is played by keys that are held by chance', async () => {
  const world = new FakeWorld({ prompt: false })
  const episode = await recordModuleEpisode({ openWorld: () => world }, world, 1, 60)
  const { buffer, byteOffset } = episode.actions
  const actions = new Float32Array(buffer, byteOffset, 120)
  expect(new Set(actions)).toEqual(new Set([-1, 0, 1]))
  const changes = [...actions].filter((value, i) => i >= 2 && value !== actions[i - 2]).length
  expect(changes).toBeLessThan(60)
  expect(episode.policy).toBe('random')
})

test('what was recorded stays, half-written files go, and the container reads back', async () => {
  const options = { world: SNAKE, episodes: 3, ticks: 30, seed: 7, out, angle: '' }
  await writeFile(join(out, 'ep-0000008.msgpack.part'), 'half')
  const first = await EpisodeFolder.open(options)
  expect(first.missing).toEqual([7, 8, 9])
  const module = await loadWorldModule(SNAKE)
  const world = await module.openWorld()
  await first.write({ ...(await recordModuleEpisode(module, world, 7, 30)) })
  expect((await EpisodeFolder.open(options)).missing).toEqual([8, 9])
  expect(await readdir(out)).toEqual(['ep-0000007.msgpack'])
  const episode = unpack(await readFile(join(out, 'ep-0000007.msgpack')))
  expect(episode).toMatchObject({ format: 'oneiro-episode', version: 4, seed: 7 })
  expect(inflateSync(episode.frames)).toHaveLength(30 * 96 * 64 * 3)
})

test('a folder that cannot be written is said in a sentence', async () => {
  const folder = await EpisodeFolder.open({ world: SNAKE, episodes: 1, ticks: 30, seed: 1, out, angle: '' })
  await rm(out, { recursive: true })
  await expect(folder.write({ seed: 1, frames: new Uint8Array(3) })).rejects.toThrow(/Free some space/)
})

test('what cannot be recorded is said before the first episode', async () => {
  await expect(loadWorldModule('games/none.ts')).rejects.toThrow(/There is no file games\/none.ts/)
  await expect(loadWorldModule('examples/snake/reader.ts')).rejects.toThrow(/but no openWorld\(\)/)
  const keyless = new FakeWorld({ controls: [{ name: 'jump', kind: 'button' }] })
  await expect(checkRecordable(keyless)).rejects.toThrow(/Nobody could press "jump"/)
  const none = new FakeWorld({ controls: [{ name: 'run', kind: 'axis', values: [1, 2] }] })
  await expect(checkRecordable(none)).rejects.toThrow(/an axis rests at 0/)
  const huge = new FakeWorld({ width: 4000, height: 3000 })
  await expect(checkRecordable(huge)).rejects.toThrow(/draw at most/)
})
