import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { afterAll, describe, expect, test } from 'vitest'
import { DreamServer } from '../server/server'
import { tinyEngine } from '../server/testing/servers'
import { TINY } from './model/testing'
import * as node from './node'
import * as testing from './testing'

const COMMON = [
  ...['BadInputError', 'NotReadyError', 'OneiroError', 'SnapshotMismatchError', 'WorldClosedError'],
  ...['Action', 'ActionLog', 'Control', 'Pixels', 'Prompt', 'Snapshot', 'Telemetry'],
  ...['Tick', 'Timeline', 'World', 'WorldInfo'],
  ...['openWorld', 'readActionLog', 'replay', 'spaceOf', 'worldOf', 'writeActionLog'],
]

/** What each door of the package shows, types too. */
const DOORS: Record<string, readonly string[]> = {
  'src/index.ts': [...COMMON, 'play'],
  'src/node.ts': COMMON,
  'server/index.ts': ['serve'],
  'src/testing.ts': ['checkWorld'],
}

/** Of every name that a door exports, what stands above it where it is made. */
function shown(): Map<string, Map<string, string>> {
  const root = fileURLToPath(new URL('..', import.meta.url))
  const paths = Object.keys(DOORS).map((door) => join(root, door))
  const options = {
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    types: [],
    noLib: true,
  }
  const program = ts.createProgram(paths, options)
  const checker = program.getTypeChecker()
  const aboveOf = (symbol: ts.Symbol) => {
    const made = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol
    const tags = made.getJsDocTags(checker).map(({ name }) => `@${name}`)
    return [ts.displayPartsToString(made.getDocumentationComment(checker)), ...tags].join(' ')
  }
  const namesOf = (path: string) =>
    checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(path)!)!)
  return new Map(
    paths.map((path, i) => [
      Object.keys(DOORS)[i]!,
      new Map(namesOf(path).map((symbol) => [symbol.name, aboveOf(symbol)])),
    ]),
  )
}

describe('the front door', () => {
  const doors = shown()

  test('has these names and no others, 25 at most over all doors', () => {
    for (const [door, names] of Object.entries(DOORS)) {
      expect([...doors.get(door)!.keys()].sort(), door).toEqual([...names].sort())
    }
    expect(new Set(Object.values(DOORS).flat()).size).toBeLessThanOrEqual(25)
  })

  test('says a sentence about each, and shows how each call is used', () => {
    const above = [...doors.values()].flatMap((names) => [...names])
    expect(above.filter(([, text]) => !/^[A-Z].*\./s.test(text)).map(([name]) => name)).toEqual([])
    const calls = above.filter(([name]) => /^[a-z]|^Timeline$/.test(name))
    expect(calls.filter(([, text]) => !text.includes('@example')).map(([name]) => name)).toEqual([])
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
