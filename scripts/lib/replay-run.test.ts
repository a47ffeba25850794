import { spawn } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import '../../src/worlds'
import { Recorder } from '../../src/engine/recorder'
import { RunCheck, scheduleOf, seedOfDay } from '../../src/engine/run'
import { openDreamNode } from '../../src/model/node'
import { TINY } from '../../src/model/testing'
import { runFor } from '../../src/scene/drive'

const DAY = '2026-11-29'
/** Half a run: a log that ends early only scores less. */
const TICKS = 400
const folder = mkdtempSync(join(tmpdir(), 'oneiro-run-'))
const world = join(folder, 'tiny')
afterAll(() => rmSync(folder, { recursive: true }))

/** The tiny world with the instruments of a drive. */
function makeWorld(): string[] {
  cpSync(TINY, world, { recursive: true })
  const manifest = JSON.parse(readFileSync(join(world, 'world.json'), 'utf8'))
  const names = { speed: 20, offset: 0, heading: 0, stuck: 0 }
  manifest.task = 'drive'
  manifest.telemetry = Object.entries(names).map(([name, centre]) => ({
    name,
    unit: '',
    centre,
    spread: 0.1,
  }))
  writeFileSync(join(world, 'world.json'), JSON.stringify(manifest))
  return manifest.presets.map(({ text }: { text: string }) => text)
}

test('a proof of a run is played again and counted: 0 where it holds, 1 where score or words are others', async () => {
  const texts = makeWorld()
  const [first, ...changes] = scheduleOf(DAY, texts)
  const recorder = new Recorder(await openDreamNode(world, { threads: 1 }))
  const rule = runFor(recorder.info)!
  const log = () => ({ ...recorder.log(), run: { day: DAY, score: 0 } })
  await recorder.reset({ seed: seedOfDay(DAY), prompt: { text: first!.text } })
  const check = new RunCheck(log(), rule)
  for (let index = 1; index <= TICKS; index++) {
    check.hear(await recorder.step({ steer: index % 50 < 10 ? 1 : 0, throttle: 1 }))
    const change = changes.find(({ tick }) => tick === index)
    if (change) await recorder.setPrompt({ text: change.text })
  }
  const { score } = check
  expect(score).toBeGreaterThan(200)
  const run = { day: DAY, score }
  const proof = { ...log(), run }
  await recorder.close()
  const answer = (name: string, change: object) =>
    new Promise<{ status: number | null; said: string }>((done) => {
      const file = join(folder, `${name}.json`)
      writeFileSync(file, JSON.stringify({ ...proof, ...change }))
      const command = ['--import', 'tsx', 'scripts/replay.ts', '--assets', world, file]
      const child = spawn(process.execPath, command, { cwd: resolve(import.meta.dirname, '../..') })
      let said = ''
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (said += text))
      child.on('exit', (status) => done({ status, said }))
    })
  expect(await answer('whole', {})).toEqual({
    status: 0,
    said: expect.stringMatching(
      new RegExp(
        `All ${TICKS + 1} frames are the same.*\\nThe run of 2026-11-29 counts: ${score.toFixed(1)} m`,
      ),
    ),
  })
  expect(await answer('more', { run: { day: DAY, score: score + 50 } })).toEqual({
    status: 1,
    said: expect.stringMatching(/This is no run of 2026-11-29. The log says .* but its actions make/),
  })
  expect(await answer('other', { run: { day: '2026-11-30', score } })).toMatchObject({ status: 1 })
}, 240_000)
