import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type ActionLog,
  actionTo,
  decodeBegin,
  firstTick,
  lastTick,
  readActionLog,
  writeActionLog,
} from './action-log'
import { decodeNumbers, encodeNumbers } from './base64'
import { BadInputError, NotReadyError } from './errors'
import { hashPixels } from './frame-hash'
import { Recorder } from './recorder'
import { replay } from './replay'
import { ACTIONS, FAKE, FakeWorld, IDLE } from './testing/fake-world'
import { checkWorld } from './testing/world-suite'

checkWorld('Recorder', { open: async () => new Recorder(new FakeWorld()), starts: ['here', 'there'] })

async function drive(codes: number[], prompts: Record<number, string> = {}): Promise<Recorder> {
  const recorder = new Recorder(new FakeWorld())
  await recorder.reset({
    seed: 5,
    prompt: { text: 'dawn', embedding: Float32Array.of(0.5, -1) },
    start: 'there',
  })
  for (const [i, code] of codes.entries()) {
    const prompt = prompts[i]
    if (prompt) await recorder.setPrompt(prompt)
    await recorder.step(FAKE.action(code))
  }
  return recorder
}

describe('a recorded drive', () => {
  test('holds everything that decided it', async () => {
    const recorder = await drive([4, 8, 0, 5], { 2: 'snow' })
    const log = recorder.log()
    expect(log).toMatchObject({
      format: 'oneiro-actions',
      version: 2,
      controls: FAKE.controls,
      world: 'fake',
      modelHash: 'fake-model',
      backend: 'fake',
      begin: { reset: { seed: 5, start: 'there', prompt: { text: 'dawn' } } },
      actions: [4, 8, 0, 5],
      prompts: [{ afterTick: 2, text: 'snow' }],
    })
    expect(log.hashes.length).toBe(5)
    expect(log.hashes.at(-1)).toBe(hashPixels(await recorder.readPixels()))
    expect([firstTick(log), lastTick(log), recorder.head]).toEqual([0, 4, 4])
    expect(actionTo(log, 2)).toEqual(FAKE.action(8))
    expect(() => actionTo(log, 5)).toThrow(BadInputError)
  })

  test('replays frame for frame after a trip through JSON, whatever was done', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(8), { maxLength: 30 }),
        fc.dictionary(
          fc.nat(29).map(String),
          fc.string().filter((text) => text.trim() !== ''),
        ),
        async (codes, prompts) => {
          const log = (await drive(codes, prompts)).log()
          const read = readActionLog(writeActionLog(log))
          expect(read).toEqual(log)
          expect(await replay(read, new FakeWorld())).toEqual({
            firstTick: 0,
            lastTick: codes.length,
            compared: codes.length + 1,
            differing: 0,
            divergence: null,
          })
        },
      ),
      { numRuns: 30 },
    )
  })

  test('may begin from a snapshot in mid-play', async () => {
    const source = new FakeWorld()
    await source.reset({ seed: 9 })
    for (const action of ACTIONS) await source.step(action)
    const recorder = new Recorder(new FakeWorld())
    await recorder.restore(await source.snapshot())
    await recorder.step(IDLE)
    await recorder.setPrompt('late fog')
    await recorder.step(ACTIONS[2]!)
    const log = readActionLog(writeActionLog(recorder.log()))
    expect([firstTick(log), lastTick(log)]).toEqual([9, 11])
    expect(decodeBegin(log.begin)).toEqual({ restore: await source.snapshot() })
    expect(await replay(log, new FakeWorld())).toMatchObject({ compared: 3, divergence: null })
  })

  test('begins from a snapshot that went through JSON as from the snapshot itself', async () => {
    const source = new FakeWorld()
    await source.reset({ seed: 9 })
    await source.step(ACTIONS[1]!)
    const snapshot = await source.snapshot()
    const recorder = new Recorder(new FakeWorld())
    await recorder.restore(JSON.parse(JSON.stringify(snapshot)))
    await recorder.step(IDLE)
    const log = readActionLog(writeActionLog(recorder.log()))
    expect(decodeBegin(log.begin)).toEqual({ restore: snapshot })
    expect(await replay(log, new FakeWorld())).toMatchObject({ compared: 2, divergence: null })
  })

  test('begins anew with every reset', async () => {
    const recorder = await drive([1, 2, 3], { 1: 'x' })
    await recorder.reset({ seed: 6 })
    expect(recorder.log()).toMatchObject({ begin: { reset: { seed: 6 } }, actions: [], prompts: [] })
  })

  test('is kept where a reset or a step fails', async () => {
    const world = new FakeWorld()
    const recorder = new Recorder(world)
    expect(() => recorder.log()).toThrow(NotReadyError)
    await recorder.reset({ seed: 1 })
    await recorder.step(IDLE)
    await expect(recorder.reset({ seed: -1 })).rejects.toBeInstanceOf(BadInputError)
    world.failNextStep(new Error('lost'))
    await expect(recorder.step(IDLE)).rejects.toThrow('lost')
    expect(recorder.log()).toMatchObject({ begin: { reset: { seed: 1 } }, actions: [4] })
  })

  test('has no words that the world refused', async () => {
    const recorder = await drive([1])
    await expect(recorder.setPrompt(' ')).rejects.toBeInstanceOf(BadInputError)
    const before = recorder.log()
    await recorder.setPrompt('snow')
    expect(before.prompts).toEqual([])
    expect(recorder.log().prompts).toEqual([{ afterTick: 1, text: 'snow' }])
  })

  test('of thousands of ticks keeps every one', async () => {
    const codes = Array.from({ length: 2500 }, (_, i) => i % 9)
    const log = (await drive(codes)).log()
    expect(log.actions).toEqual(codes)
    expect(log.hashes.every((hash) => hash !== null)).toBe(true)
  })

  test('has no hash for a frame that stayed on the GPU, and replay compares the rest', async () => {
    const recorder = new Recorder(new FakeWorld({ framesOnGpu: true }))
    await recorder.reset({ seed: 1 })
    await recorder.step(IDLE)
    const log = recorder.log()
    expect(log.hashes).toEqual([null, null])
    expect(await replay(log, new FakeWorld())).toMatchObject({ compared: 0, divergence: null })
    const hashed = (await drive([1, 2])).log()
    expect(await replay(hashed, new FakeWorld({ framesOnGpu: true }))).toMatchObject({
      compared: 3,
      differing: 0,
    })
  })
})

describe('replay', () => {
  test('says where a drive diverges first', async () => {
    const log = (await drive([4, 4, 4, 4, 4])).log()
    const changed: ActionLog = { ...log, actions: [4, 4, 8, 4, 4] }
    const { divergence, differing } = await replay(changed, new FakeWorld())
    expect(divergence).toMatchObject({ tick: 3, expected: log.hashes[3] })
    expect(divergence?.got).not.toBe(log.hashes[3])
    expect(differing).toBe(3)
  })

  test('refuses another world or model, unless any model is asked for', async () => {
    const log = (await drive([4])).log()
    await expect(replay(log, new FakeWorld({ id: 'other' }))).rejects.toThrow(/of world "fake"/)
    const other = new FakeWorld({ modelHash: 'newer' })
    await expect(replay(log, other)).rejects.toThrow(/fake-model/)
    expect(await replay(log, other, { anyModel: true })).toMatchObject({ compared: 2 })
  })

  test('tells every tick as it goes', async () => {
    const seen: number[] = []
    await replay((await drive([4, 4])).log(), new FakeWorld(), { onTick: (tick) => seen.push(tick.index) })
    expect(seen).toEqual([0, 1, 2])
  })
})

describe('reading refuses', () => {
  test('text that is cut off', async () => {
    const text = writeActionLog((await drive([1, 2, 3])).log())
    expect(() => readActionLog(text.slice(0, -10))).toThrow(/JSON/)
  })

  test.each([
    ['another version', { version: 1 }, /version 1, but version 2 was expected/],
    ['another format', { format: 'mp4' }, /format/],
    ['an action that does not exist', { actions: [4, 9] }, /9 actions, but code 9/],
    ['controls that are none', { controls: [{ name: 'a b', kind: 'axis' }] }, /controls/],
    ['too few hashes', { hashes: [] }, /hash/],
    ['a hash that is none', { hashes: ['zz', null, null] }, /hashes\.0/],
    ['a prompt from the future', { prompts: [{ afterTick: 3, text: 'x' }] }, /out of place/],
    [
      'prompts out of order',
      { prompts: [1, 0].map((afterTick) => ({ afterTick, text: 'x' })) },
      /out of place/,
    ],
    ['a seed that is none', { begin: { reset: { seed: -1 } } }, /begin/],
    ['what it does not know', { surprise: true }, /surprise/],
  ])('%s', async (_, change, message) => {
    const log = (await drive([4, 4])).log()
    const text = JSON.stringify({ ...log, ...change })
    expect(() => readActionLog(text)).toThrow(BadInputError)
    expect(() => readActionLog(text)).toThrow(message)
  })
})

describe('numbers in JSON', () => {
  test('come back bit for bit', () => {
    fc.assert(
      fc.property(fc.float32Array(), fc.float64Array(), fc.uint8Array({ maxLength: 70_000 }), (a, b, c) => {
        for (const numbers of [a, b, c]) expect(decodeNumbers(encodeNumbers(numbers))).toEqual(numbers)
      }),
      { numRuns: 30 },
    )
  })

  test('cut off or garbled are refused', () => {
    expect(() => decodeNumbers({ type: 'float32', base64: 'AAAA' })).toThrow(/4 bytes each/)
    expect(() => decodeNumbers({ type: 'uint8', base64: '?' })).toThrow(BadInputError)
  })
})
