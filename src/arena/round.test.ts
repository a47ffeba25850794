/** A round up to its pictures: the address, what two students have in common, dreaming, playing. */
import { describe, expect, it } from 'vitest'
import { BadInputError } from '../engine/errors'
import { FakeWorld } from '../engine/testing/fake-world'
import { DRIVE_CONTROLS } from '../scene/drive/controls'
import { namesOf, readAddress } from './address'
import { dreamBoth } from './clips'
import { planRound } from './plan'
import { type Frames, momentAt, Playback } from './playback'
import { type Described, inCommon } from './students'
import { CHOICES } from './testing'

const SITE = 'https://example.org/oneiro/'

describe('the address', () => {
  it('gives folders of the site, or of elsewhere', () => {
    const { a, b, notices } = readAddress('?a=assets/drive&b=https://other.org/w/?v=2', SITE)
    expect(a).toBe('https://example.org/oneiro/assets/drive/')
    expect(b).toBe('https://other.org/w/?v=2')
    expect(notices).toEqual([])
  })

  it('takes the student that ships for the first, and has no second by itself', () => {
    const address = readAddress('', SITE)
    expect(address).toMatchObject({
      a: `${SITE}assets/drive/`,
      b: null,
      seed: null,
      seconds: 5,
      backend: 'auto',
    })
  })

  it('says what it does not understand', () => {
    const { notices, ...rest } = readAddress('?b=http://&seed=-1&seconds=900&backend=abacus', SITE)
    expect(rest).toMatchObject({ b: null, seed: null, seconds: 5, backend: 'auto' })
    expect(notices).toHaveLength(4)
  })

  it.each([
    ['https://h/assets/drive/', 'https://h/assets/tmd/', ['drive', 'tmd']],
    ['https://h/one/drive/', 'https://h/two/drive/', ['one/drive', 'two/drive']],
    ['https://h/drive/', 'https://g/drive/', ['h/drive', 'g/drive']],
  ])('names %s and %s', (a, b, names) => expect(namesOf(a, b)).toEqual(names))
})

describe('inCommon', () => {
  const described = (modelHash: string, ids: string[], texts: string[], width = 160): Described => ({
    info: { modelHash, width, height: 96, ticksPerSecond: 20 },
    manifest: {
      starts: ids.map((id, index) => ({ id, caption: id, index })),
      presets: texts.map((text, embedding) => ({ id: text, text, embedding })),
    },
  })
  const one = described('1', ['x', 'y'], ['snow', 'sand'])

  it('is what both know', () => {
    expect(inCommon(one, described('2', ['y', 'z'], ['sand']))).toEqual({
      starts: [{ id: 'y', caption: 'y' }],
      prompts: ['sand'],
    })
  })

  it.each([
    ['the same student', one],
    ['another size', described('2', ['x'], ['snow'], 320)],
    ['no start in common', described('2', ['z'], ['snow'])],
    ['no words in common', described('2', ['x'], ['rain'])],
  ])('refuses %s', (_, other) => expect(() => inCommon(one, other)).toThrow(BadInputError))
})

describe('dreamBoth', () => {
  const plan = { ...planRound(1, 1, CHOICES, 10), start: 'here' }

  it('gives every frame of both, and says how far it is', async () => {
    const told: number[] = []
    const [a, b] = await dreamBoth(
      [new FakeWorld({ controls: DRIVE_CONTROLS }), new FakeWorld({ controls: DRIVE_CONTROLS })],
      plan,
      (fraction) => told.push(fraction),
    )
    expect([a.length, b.length]).toEqual([11, 11])
    expect(told).toHaveLength(22)
    expect(told.at(-1)).toBe(1)
    // The same world under the same plan: what differs between two students is the students.
    expect(a[10]).toEqual(b[10])
  })

  it('reads the pixels back where ticks carry none', async () => {
    const world = new FakeWorld({ controls: DRIVE_CONTROLS })
    const onGpu = {
      reset: async (options: Parameters<FakeWorld['reset']>[0]) => ({
        ...(await world.reset(options)),
        frame: null,
      }),
      step: async (action: Parameters<FakeWorld['step']>[0]) => ({
        ...(await world.step(action)),
        frame: null,
      }),
      readPixels: () => world.readPixels(),
    }
    const [a, b] = await dreamBoth([new FakeWorld({ controls: DRIVE_CONTROLS }), onGpu], plan, () => {})
    expect(b[7]).toEqual(a[7])
  })

  it('stops both where one fails, with its error', async () => {
    let steps = 0
    const fails = new FakeWorld({ controls: DRIVE_CONTROLS })
    fails.step = async () => {
      throw new Error('the device went away')
    }
    const other = new FakeWorld({ controls: DRIVE_CONTROLS })
    const { step } = other
    other.step = (action) => {
      steps++
      return step.call(other, action)
    }
    await expect(dreamBoth([other, fails], plan, () => {})).rejects.toThrow('the device went away')
    expect(steps).toBeLessThan(10)
  })
})

describe('playback', () => {
  it('shows every frame for its time, rests on the last, and begins again', () => {
    const at = (ms: number) => momentAt(ms, 20, 20)
    expect([at(0).index, at(49).index, at(50).index, at(999).index]).toEqual([0, 0, 1, 19])
    expect(at(999).seen).toBe(0)
    expect(at(1000)).toEqual({ index: 19, seen: 1, fraction: 1 })
    expect(at(1799)).toMatchObject({ index: 19, seen: 1 })
    expect(at(1800)).toMatchObject({ index: 0, seen: 1, fraction: 0 })
    expect(at(2850)).toMatchObject({ index: 19, seen: 2 })
  })

  it('does not count time in which the page was hidden', () => {
    let run: (nowMs: number) => void = () => {}
    const clock: Frames = {
      request(next) {
        run = next
        return 1
      },
      cancel() {
        run = () => {}
      },
    }
    const shown: number[] = []
    const playback = new Playback(100, 20, ({ index }) => shown.push(index), clock)
    playback.start()
    for (const ms of [0, 50, 100, 60_100]) run(ms)
    expect(shown).toEqual([0, 1, 2, 7])
    playback.stop()
    run(70_000)
    expect(shown).toHaveLength(4)
  })
})
