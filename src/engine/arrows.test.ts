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

describe('imports run along the arrows', () => {
  const rooms = Object.keys(ARROWS).filter((room) => existsSync(join(root, room)))
  test.each(rooms)('%s', (room) => {
    const found = sources(room).flatMap((path) => broken(room, path).map((name) => `${path} imports ${name}`))
    expect(found).toEqual([])
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
