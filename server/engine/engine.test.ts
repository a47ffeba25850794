/** What an engine makes of a tick. */
import { expect, it, vi } from 'vitest'
import { IDLE, tinyBatched } from '../../src/model/testing'
import { DreamEngine } from './engine'

it('decodes each tick once, whatever formats its picture is wanted in', async () => {
  const { dream, files } = await tinyBatched(2)
  const engine = new DreamEngine(dream, files, 2, 'test')
  for (const session of ['a', 'b', 'c']) await engine.reset(session, { seed: 1 }, 'latents')
  const decode = vi.spyOn(dream, 'decode')
  const jobs = ['a', 'b', 'c'].map((session) => ({
    ...{ session, action: IDLE, formats: ['webp', 'jpeg', 'latents'] as const },
  }))
  const { pictures } = await engine.step(jobs)
  expect(pictures.map(({ session, format }) => `${session} ${format}`).sort()).toEqual(
    ['a', 'b', 'c'].flatMap((session) => ['jpeg', 'latents', 'webp'].map((format) => `${session} ${format}`)),
  )
  expect(decode.mock.calls.map(([latents]) => latents.length)).toEqual([2, 1])
  decode.mockClear()
  const shown = await engine.show('a', ['webp', 'jpeg'])
  expect(shown.map(({ format, tick }) => [format, tick])).toEqual([
    ['webp', 1],
    ['jpeg', 1],
  ])
  expect(decode).toHaveBeenCalledTimes(1)
  await engine.close()
})
