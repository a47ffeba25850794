import { describe, expect, it } from 'vitest'
import { BadInputError, WorldClosedError } from './errors'
import { FakeWorld } from './testing/fake-world'
import { Timeline } from './timeline'

async function begun() {
  const drive = new Timeline(new FakeWorld())
  await drive.reset({ seed: 7 })
  return drive
}

describe('a script', () => {
  it('holds controls, those that it does not name at rest', async () => {
    const drive = await begun()
    expect((await drive.hold({ slide: 1 }, 5)).index).toBe(5)
    await drive.hold({}, 1)
    const same = new FakeWorld()
    await same.reset({ seed: 7 })
    for (let i = 0; i < 5; i++) await same.step({ slide: 1, light: 0 })
    await same.step({ slide: 0, light: 0 })
    expect(await drive.expectFrame(await same.readPixels())).toBe(Number.POSITIVE_INFINITY)
  })

  it('steps until a condition holds, and goes back there', async () => {
    const drive = await begun()
    const tick = await drive.until(({ index }) => index === 12, { hold: { light: 1 } })
    expect(tick.index).toBe(12)
    const there = await drive.readPixels()
    await drive.hold({ slide: -1 }, 5)
    await expect(drive.expectFrame(there)).rejects.toThrow(/dB from the image, but 40 dB at least/)
    await drive.seek(12)
    await drive.expectFrame(there, { dB: 60 })
  })

  it('gives a condition up after so many ticks, and plays on', async () => {
    const drive = await begun()
    const error = await drive.until(() => false, { most: 3 }).catch((error: unknown) => error)
    expect(error).toMatchObject({ code: 'NOT_REACHED' })
    expect(String(error)).toMatch(/none of the 3 ticks to tick 3/)
    expect((await drive.hold({}, 1)).index).toBe(4)
  })

  it('says how far a frame is from an image', async () => {
    const drive = await begun()
    const { width, height, data } = await drive.readPixels()
    const off = {
      width,
      height,
      data: data.map((value, i) => (i % 4 === 3 ? 0 : value < 128 ? value + 10 : value - 10)),
    }
    // 255^2 / 10^2
    expect(await drive.expectFrame(off, { dB: 28 })).toBeCloseTo(28.13, 2)
    const error = await drive.expectFrame(off, { dB: 28.2 }).catch((error: unknown) => error)
    expect(error).toMatchObject({ code: 'FRAME_DIFFERS' })
  })

  it.each([
    [
      'an unknown control',
      (drive: Timeline) => drive.hold({ jump: 1 }, 1),
      /slide and light, but "jump" came/,
    ],
    [
      'NaN',
      (drive: Timeline) => drive.hold({ slide: Number.NaN }, 1),
      /"slide" of an action is -1, 0, 1, but NaN came/,
    ],
    [
      'a list',
      (drive: Timeline) => drive.hold([1] as never, 1),
      /an object of controls and values, but a list came/,
    ],
    ['no ticks', (drive: Timeline) => drive.hold({}, 0), /from 1 on, but 0 came/],
    ['half a tick', (drive: Timeline) => drive.until(() => true, { most: 0.5 }), /from 1 on, but 0.5 came/],
    ['no condition', (drive: Timeline) => drive.until(true as never), /a function of a tick, but true came/],
    [
      'another size',
      (drive: Timeline) => drive.expectFrame({ width: 1, height: 1, data: new Uint8ClampedArray(4) }),
      /but an image of 1x1 came/,
    ],
    [
      'no image',
      (drive: Timeline) => drive.expectFrame(null as never),
      /but an image of undefinedxundefined came/,
    ],
    [
      'no distance',
      async (drive: Timeline) => drive.expectFrame(await drive.readPixels(), { dB: Number.NaN }),
      /above 0, but NaN came/,
    ],
  ])('is refused with %s, and nothing has moved', async (_, call, sentence) => {
    const drive = await begun()
    const error = await call(drive).catch((error: unknown) => error)
    expect(error).toBeInstanceOf(BadInputError)
    expect((error as Error).message).toMatch(sentence)
    expect(drive.position).toBe(0)
  })

  it('ends with its world', async () => {
    const drive = await begun()
    await drive.close()
    await expect(drive.hold({}, 1)).rejects.toThrow(WorldClosedError)
  })
})
