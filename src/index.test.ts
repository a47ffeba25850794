import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { DreamServer } from '../server/server'
import { tinyEngine } from '../server/testing'
import * as browser from './index'
import { TINY } from './model/testing'
import * as node from './node'
import * as testing from './testing'

/** The values; types are in `publicTypes`. */
const COMMON = [
  'BadInputError',
  'NotReadyError',
  'OneiroError',
  'SnapshotMismatchError',
  'Timeline',
  'WorldClosedError',
  'openWorld',
  'readActionLog',
  'replay',
  'spaceOf',
  'writeActionLog',
]

/** Every name that a door exports, types too. */
function namesOf(door: string): string[] {
  const read = (path: string): string[] => {
    const text = readFileSync(fileURLToPath(new URL(path, import.meta.url)), 'utf8')
    const named = [...text.matchAll(/export (?:type )?\{([^}]*)\}/g)].flatMap(([, list]) => list!.split(','))
    const made = [...text.matchAll(/export (?:async )?(?:function|interface) (\w+)/g)].map(
      ([, name]) => name!,
    )
    const names = [...named.map((name) => name.replace('type', '').trim()).filter(Boolean), ...made]
    return [...names, ...(text.includes("'./public'") ? read('./public.ts') : [])]
  }
  return read(door)
}

describe('the front door', () => {
  test('has these names and no others', () => {
    expect(Object.keys(browser).sort()).toEqual([...COMMON, 'play'].sort())
    expect(Object.keys(node).sort()).toEqual(COMMON)
    expect(Object.keys(testing)).toEqual(['checkWorld'])
  })

  test('is no wider than 25 names, types included', () => {
    for (const door of ['./index.ts', './node.ts']) {
      const names = new Set(namesOf(door))
      expect(names).toContain('openWorld')
      expect(names.size).toBeLessThanOrEqual(25)
    }
  })
})

let server: DreamServer | null = null
afterAll(() => server?.close())
const served = async () => {
  server ??= await DreamServer.start({ host: '127.0.0.1', port: 0, engine: await tinyEngine() })
  return `ws://127.0.0.1:${server.port}`
}

testing.checkWorld('openWorld on a folder', { open: () => node.openWorld(TINY, { threads: 1 }), ticks: 3 })
testing.checkWorld('openWorld on a server', {
  open: async () => node.openWorld(await served(), { assets: TINY, threads: 1 }),
  ticks: 3,
})

describe('openWorld in Node says what is wrong', () => {
  test.each([
    ['an address of the web', 'https://example.org/worlds/drive/', /a folder on disk or a server/],
    ['a folder without a world', 'src', /world\.json/],
  ])('%s', async (_, address, sentence) => {
    const error = await node.openWorld(address).catch((error: unknown) => error)
    expect(error).toBeInstanceOf(node.OneiroError)
    expect((error as Error).message).toMatch(sentence)
  })

  test('a server whose pictures nobody draws', async () => {
    await expect(node.openWorld(await served())).rejects.toThrow(/Pass assets/)
  })
})
