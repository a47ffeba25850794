import { afterEach, expect, it, vi } from 'vitest'
import { fetchWorlds } from './chooser'

const answer = (body: string, ok = true) =>
  vi.stubGlobal('fetch', async () => new Response(body, { status: ok ? 200 : 404 }))
const BASE = 'https://oneiro.test/page/'

afterEach(() => vi.unstubAllGlobals())

it('reads the worlds beside the page, and leaves out what is none', async () => {
  const asked: string[] = []
  vi.stubGlobal('fetch', async (url: URL) => {
    asked.push(url.href)
    return new Response('[{"name":"drive","title":"Drive"},{"name":7},null,{"name":"snake","title":"Snake"}]')
  })
  expect((await fetchWorlds(BASE)).map(({ name }) => name)).toEqual(['drive', 'snake'])
  expect(asked).toEqual(['https://oneiro.test/page/assets/worlds.json'])
})

it('finds none where there is no list, and never throws', async () => {
  for (const [body, ok] of [
    ['no', true],
    ['{}', true],
    ['[]', false],
  ] as const) {
    answer(body, ok)
    expect(await fetchWorlds(BASE)).toEqual([])
  }
  vi.stubGlobal('fetch', async () => {
    throw new TypeError('offline')
  })
  expect(await fetchWorlds(BASE)).toEqual([])
})
