/**
 * The arrows between the rooms run one way, and the engine knows no platform. Proven by walking every import and by
 * compiling the engine where no DOM exists.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Rooms, and the rooms that each may import from besides itself. */
const ARROWS: Record<string, readonly string[]> = {
  'src/engine': [],
  'src/model': ['src/engine'],
  'src/scene': ['src/engine', 'contract'],
  'src/net': ['src/engine', 'src/model'],
  'src/app': ['src/engine', 'src/model', 'src/scene', 'src/net', 'src/index'],
  'src/arena': ['src/engine', 'src/model', 'src/scene', 'src/app', 'src/index'],
  server: ['src/engine', 'src/model', 'src/net', 'src/worlds'],
  mcp: ['src/engine', 'src/node'],
  contract: [],
}

/** Rooms within a room, and those that each may import from; files beside them are free, tests too. */
const DOORS: Record<string, readonly string[]> = {
  'server/monitoring': [],
  'server/engine': [],
  'server/session': ['server/engine', 'server/monitoring'],
  'server/http': ['server/session', 'server/monitoring'],
  'server/cluster': ['server/session', 'server/monitoring'],
  'src/net/protocol': [],
  'src/net/client': ['src/net/protocol'],
  'src/model/assets': [],
  'src/model/backends': ['src/model/assets'],
  'src/model/port': [],
  'src/model/prompt': ['src/model/assets', 'src/model/backends', 'src/model/port'],
  'src/model/dream': ['src/model/assets', 'src/model/backends', 'src/model/prompt'],
  'src/model/worker': [
    'src/model/assets',
    'src/model/backends',
    'src/model/prompt',
    'src/model/dream',
    'src/model/port',
  ],
  'src/app/input': [],
  'src/app/offline': [],
  'src/app/words': ['src/app/offline'],
  'src/app/player': ['src/app/input', 'src/app/words', 'src/app/offline'],
  'src/app/ui': ['src/app/input'],
  'src/app/time': ['src/app/ui'],
  'src/app/run': ['src/app/ui', 'src/app/player'],
  'src/app/share': ['src/app/ui', 'src/app/player'],
  'src/app/clips': ['src/app/ui', 'src/app/player', 'src/app/offline'],
  'src/app/sound': ['src/app/ui', 'src/app/offline'],
  'src/app/opening': [],
}

/** What belongs to one room alone: no other room may import it. */
const OWNED: [name: RegExp, rooms: readonly string[]][] = [
  [/^onnxruntime-/, ['src/model', 'server']],
  [/^three(\/|$)/, ['src/scene']],
  [/^pixi\.js(\/|$)/, ['src/scene']],
  [/^zustand(\/|$)/, ['src/app', 'src/arena']],
  [/^(ws|pino|prom-client)$/, ['server']],
  [/^sharp$/, ['server', 'mcp']],
  [/^@modelcontextprotocol\//, ['mcp']],
  [/^msgpackr$/, ['src/net', 'src/scene']],
  [/^mediabunny$/, ['src/app']],
  [/^node:(http|https|net|tls|dgram)$/, ['server', 'mcp']],
]

/** All that the engine's own code may import from outside; its tests and test doubles also use test tools. */
const ENGINE_PACKAGES = new Set(['zod/mini', 'zod/v4/locales/en.js'])

const isTest = (path: string) => /\.test\.ts$|\/testing\//.test(path)

function sources(room: string): string[] {
  return readdirSync(join(root, room), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.[cm]?tsx?$/.test(name))
    .map((name) => join(room, name).replaceAll('\\', '/'))
}

/** Every import of a file: static, dynamic, re-export, type-only. */
function imports(path: string): string[] {
  const info = ts.preProcessFile(readFileSync(join(root, path), 'utf8'), true, true)
  return info.importedFiles.map((file) => file.fileName.replace(/\?.*$/, ''))
}

/** The room that a relative import leads to, or null where it leads to none (a style sheet beside the code, a JSON). */
function roomOf(path: string, specifier: string): string {
  const target = relative(root, resolve(root, dirname(path), specifier)).replaceAll('\\', '/')
  return Object.keys(ARROWS).find((room) => target === room || target.startsWith(`${room}/`)) ?? target
}

function broken(room: string, path: string): string[] {
  const allowed = [room, ...ARROWS[room]!]
  return imports(path).filter((specifier) => {
    if (specifier.startsWith('.')) return !allowed.includes(roomOf(path, specifier))
    if (room === 'src/engine') return !isTest(path) && !ENGINE_PACKAGES.has(specifier)
    return OWNED.some(([name, rooms]) => name.test(specifier) && !rooms.includes(room) && !isTest(path))
  })
}

/** The file of ours that an import of `path` names, or null where it names none. */
function fileOf(path: string, specifier: string): string | null {
  const base = relative(root, resolve(root, dirname(path), specifier)).replaceAll('\\', '/')
  return (
    [`${base}.ts`, base, `${base}/index.ts`].find(
      (one) => /\.ts$/.test(one) && existsSync(join(root, one)),
    ) ?? null
  )
}

/** Circles among the imports of these files, each as the files on the way. */
function circles(paths: readonly string[]): string[] {
  const next = new Map(
    paths.map((path) => [
      path,
      imports(path).flatMap((name) => (name.startsWith('.') ? (fileOf(path, name) ?? []) : [])),
    ]),
  )
  const found: string[] = []
  const finished = new Set<string>()
  const walk = (path: string, way: readonly string[]): void => {
    if (way.includes(path)) found.push([...way.slice(way.indexOf(path)), path].join(' > '))
    if (way.includes(path) || finished.has(path)) return
    for (const one of next.get(path) ?? []) walk(one, [...way, path])
    finished.add(path)
  }
  for (const path of paths) walk(path, [])
  return found
}

describe('imports run along the arrows', () => {
  const rooms = Object.keys(ARROWS).filter((room) => existsSync(join(root, room)))
  test.each(rooms)('%s', (room) => {
    const found = sources(room).flatMap((path) => broken(room, path).map((name) => `${path} imports ${name}`))
    expect(found).toEqual([])
  })

  test.each(Object.keys(DOORS))('%s, within its room', (room) => {
    const found = sources(room)
      .filter((path) => !isTest(path))
      .flatMap((path) =>
        imports(path)
          .filter((name) => name.startsWith('.'))
          .map((name) => fileOf(path, name) ?? '')
          .filter((file) => ![room, ...DOORS[room]!].some((one) => file.startsWith(`${one}/`)))
          .filter((file) => dirname(file) in DOORS && dirname(dirname(file)) === dirname(room))
          .map((file) => `${path} imports ${file}`),
      )
    expect(found).toEqual([])
  })

  test('no file imports itself by way of others', () => {
    expect(circles([...rooms, 'scripts', 'bench', 'e2e', 'examples'].flatMap(sources))).toEqual([])
  })

  test('and the walk sees what it should', () => {
    expect(sources('src/engine')).toContain('src/engine/testing/fake-world.ts')
    expect(imports('src/engine/loop.ts')).toContain('./world')
    expect(imports('src/engine/schema.ts')).toContain('zod/mini')
    expect(roomOf('src/engine/loop.ts', '../app/store')).toBe('src/app')
    expect(roomOf('src/model/prompt/index.ts', '../../engine/errors')).toBe('src/engine')
  })
})

test('nobody but the drive itself names what can be done in it, or what is seen there', () => {
  const rooms = ['src/engine', 'src/model', 'src/net', 'src/app', 'server', 'mcp']
  const named = rooms
    .flatMap(sources)
    .filter((path) => !isTest(path))
    .filter((path) => /\b(steer|throttle|biome|lane)\b/i.test(readFileSync(join(root, path), 'utf8')))
  expect(named).toEqual([])
})

describe('the engine compiles without a platform', () => {
  /** All that the engine takes from its surroundings, present in browsers, workers and Node alike. */
  const PLATFORM = `
    declare const performance: { now(): number }
    declare function setTimeout(run: () => void, ms: number): number
    declare function clearTimeout(timer: number): void
    declare function btoa(text: string): string
    declare function atob(text: string): string
    interface AbortSignal {
      readonly aborted: boolean
      addEventListener(type: 'abort', run: () => void): void
      removeEventListener(type: 'abort', run: () => void): void
    }
    declare class AbortController { readonly signal: AbortSignal; abort(): void }
  `

  function errors(files: string[], extra = ''): string[] {
    const options: ts.CompilerOptions = {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.ESNext,
      moduleResolution: ts.ModuleResolutionKind.Bundler,
      lib: ['lib.es2023.d.ts'],
      types: [],
      strict: true,
      noUncheckedIndexedAccess: true,
      skipLibCheck: true,
      noEmit: true,
    }
    const platform = join(root, 'src/engine/platform.ts')
    const host = ts.createCompilerHost(options)
    const read = host.getSourceFile.bind(host)
    host.getSourceFile = (name, ...rest) =>
      resolve(name) === platform
        ? ts.createSourceFile(name, PLATFORM + extra, ts.ScriptTarget.ES2022)
        : read(name, ...rest)
    host.fileExists = (name) => resolve(name) === platform || ts.sys.fileExists(name)
    const program = ts.createProgram([...files.map((path) => join(root, path)), platform], options, host)
    return ts
      .getPreEmitDiagnostics(program)
      .map(
        (error) =>
          `${relative(root, error.file?.fileName ?? '')}: ${ts.flattenDiagnosticMessageText(error.messageText, ' ')}`,
      )
  }

  test('with nothing but timers, abort signals and base64', () => {
    expect(errors(sources('src/engine').filter((path) => !isTest(path)))).toEqual([])
  }, 120_000)

  test('and a use of the DOM would be seen', () => {
    expect(errors([], 'const found = document.body').join()).toMatch(/document/)
  })
})
