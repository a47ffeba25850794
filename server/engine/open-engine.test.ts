/** How an engine is opened: once, tested, and with a thread beside it for words. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { setEnvironmentData } from 'node:worker_threads'
import { afterEach, describe, expect, it } from 'vitest'
import { openPromptEncoderNode } from '../../src/model/prompt/node'
import { ACTIONS, countingOrt, TINY, tinyBatched } from '../../src/model/testing'
import { openEngine } from './open-engine'
import { openPromptThread } from './prompt-client'

const PATIENCE = 600_000
const ENCODER = fileURLToPath(new URL('../../assets/prompt-encoder', import.meta.url))
const DRIVE = fileURLToPath(new URL('../../assets/drive', import.meta.url))
const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})

const options = { world: TINY, threads: 1, provider: 'cpu', maxBatch: 4 }

describe('an engine', () => {
  it(
    'opens each graph once: it is tested by the sessions that will play',
    async () => {
      const { ort, counts } = countingOrt()
      const engine = await openEngine(options, ort)
      expect([counts.sessions, counts.outputs]).toEqual([2, 0])
      await engine.close()
      expect([counts.sessions, counts.outputs]).toEqual([0, 0])
    },
    PATIENCE,
  )

  it.each<[string, (selfTest: { latentSample: number[]; frame: { pixels: string } }) => void]>([
    ['computes wrong numbers', (test) => test.latentSample.unshift(test.latentSample.shift()! + 1)],
    ['draws a wrong picture', ({ frame }) => (frame.pixels = [...frame.pixels].reverse().join(''))],
  ])(
    'that %s is refused, and nothing of it is left',
    async (_, change) => {
      const folder = mkdtempSync(join(tmpdir(), 'oneiro-'))
      folders.push(folder)
      cpSync(TINY, folder, { recursive: true })
      const manifest = JSON.parse(readFileSync(join(folder, 'world.json'), 'utf8'))
      change(manifest.selfTest)
      writeFileSync(join(folder, 'world.json'), JSON.stringify(manifest))
      const { ort, counts } = countingOrt()
      await expect(openEngine({ ...options, world: folder }, ort)).rejects.toMatchObject({
        code: 'SELF_TEST',
      })
      expect([counts.sessions, counts.outputs]).toEqual([0, 0])
    },
    PATIENCE,
  )
})

/** A thread that is stuck in its first text until `gate` opens. */
function stuckThread(gate: Int32Array): URL {
  const script = `
    import { parentPort, getEnvironmentData } from 'node:worker_threads'
    const gate = getEnvironmentData('gate')
    parentPort.on('message', ({ name, id }) => {
      if (name !== 'encode') return
      Atomics.wait(gate, 0, 0)
      parentPort.postMessage({ id, value: Float32Array.from({ length: 384 }, (_, i) => +(i === 5)) })
    })`
  setEnvironmentData('gate', gate)
  return new URL(`data:text/javascript,${encodeURIComponent(script)}`)
}

describe('words', () => {
  it(
    'are encoded in a thread of their own, to the same numbers',
    async () => {
      const thread = openPromptThread({ folder: ENCODER, world: DRIVE })
      const here = openPromptEncoderNode({ folder: ENCODER, world: DRIVE })
      const text = 'a thunderstorm over the dunes'
      expect(await thread.encode(text)).toEqual(await here.encode(text))
      await expect(thread.encode('  ')).rejects.toMatchObject({ code: 'BAD_INPUT' })
      await thread.dispose()
      await expect(thread.encode(text)).rejects.toThrow(/dispose/)
      await here.dispose()
    },
    PATIENCE,
  )

  it(
    'that take long hold up the tick of nobody, and count when they are there',
    async () => {
      const gate = new Int32Array(new SharedArrayBuffer(4))
      const thread = openPromptThread({ folder: ENCODER, script: stuckThread(gate) })
      const { dream } = await tinyBatched(8, undefined, (text) => thread.encode(text))
      for (const session of ['talker', 'driver']) await dream.reset(session, { seed: 1 })
      let done = false
      const talking = dream.setPrompt('talker', 'words that nobody knows').finally(() => {
        done = true
      })
      const jobs = ['talker', 'driver'].map((session) => ({ session, action: ACTIONS[4]! }))
      for (let tick = 1; tick <= 30; tick++) expect((await dream.step(jobs)).ticks[1]!.tick).toBe(tick)
      expect(dream.snapshot('talker').prompt!.text).not.toBe('words that nobody knows')
      expect(done).toBe(false)
      Atomics.store(gate, 0, 1)
      Atomics.notify(gate, 0)
      await talking
      expect(dream.snapshot('talker').prompt!.text).toBe('words that nobody knows')
      await thread.dispose()
      await dream.close()
    },
    PATIENCE,
  )

  it(
    'after a thread that died start another',
    async () => {
      const dying = new URL(
        `data:text/javascript,${encodeURIComponent("import 'node:worker_threads'; process.exit(3)")}`,
      )
      const thread = openPromptThread({ folder: ENCODER, script: dying })
      for (let i = 0; i < 2; i++) {
        await expect(thread.encode('rain')).rejects.toMatchObject({ code: 'PROMPT_ENCODER' })
      }
      await thread.dispose()
    },
    PATIENCE,
  )
})
