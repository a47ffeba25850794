/** The npm package: what is in it, and that strangers can use it, in Node and in a page. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect, type Page, test } from 'playwright/test'
import { openWorld } from '../src/node'
import { serveFolder } from './built'
import { appOf, install, node, type Packed, pack, root, tool } from './package'

let packed: Packed
/** The folders that the package was installed into; null where the registry could not be reached. */
let apps: { node: string; web: string } | null = null

test.beforeAll(async () => {
  test.setTimeout(600_000)
  packed = await pack()
  const installed = await Promise.all([
    install(packed, 'node', ['onnxruntime-node', 'sharp', 'typescript', '@types/node', 'vitest']),
    install(packed, 'web', ['onnxruntime-web', 'vite']),
  ])
  if (installed.every(Boolean))
    apps = { node: appOf(packed.folder, 'node'), web: appOf(packed.folder, 'web') }
})
test.afterAll(() => packed?.remove())

const read = (path: string) => readFileSync(join(root, path), 'utf8')

test.describe('the package', () => {
  test('holds code, declarations, licences and the README, and no assets', () => {
    const others = packed.files.filter((path) => !/^dist-package\/[\w-]+(\.d)?\.(js|ts)$/.test(path))
    const texts = ['LICENSE', 'README.md', 'dist-package/THIRD-PARTY-LICENSES.txt', 'package.json']
    expect(others.sort()).toEqual(texts)
    expect(packed.files.filter((path) => /(^|\/)(dream|remote|prompt)-worker\.js$/.test(path))).toHaveLength(
      3,
    )
    expect(packed.files.filter((path) => /-thread\.js$/.test(path))).toHaveLength(2)
  })

  test('is in order for publint and attw', async () => {
    const checks = [
      node(packed.folder, tool('publint/src/cli.js'), packed.archive, '--strict'),
      node(
        packed.folder,
        tool('@arethetypeswrong/cli/dist/index.js'),
        packed.archive,
        '--profile',
        'esm-only',
      ),
    ]
    for (const { status, output } of await Promise.all(checks)) expect(status, output).toBe(0)
  })

  test('is small: at most 40 kB gzipped in the page and 45 in its worker, and nothing big behind it', () => {
    expect(kilobytes('index.js')).toBeLessThanOrEqual(40)
    expect(kilobytes('dream-worker.js')).toBeLessThanOrEqual(45)
    const modules = [...loaded('index.js'), ...loaded('dream-worker.js')].flatMap(
      ({ moduleIds }) => moduleIds,
    )
    expect(modules.filter((id) => /node_modules\/(three|pixi|sharp|ioredis|pino|ws)\b/.test(id))).toEqual([])
    expect([...loaded('index.js')].flatMap(({ imports }) => imports.filter(isPackage))).toEqual([])
  })

  test('is used as the README prints it', () => {
    for (const file of ['drive.js', 'page.js', 'game.js'])
      expect(read('README.md')).toContain(read(`examples/${file}`))
    expect(read('README.md')).toContain(
      read('examples/page.html').match(/<script type="importmap">.*?<\/script>/s)![0],
    )
    expect(read('server/README.md')).toContain(read('examples/serve.js'))
  })
})

test.describe('installed', () => {
  test.describe.configure({ timeout: 300_000 })
  test.beforeEach(() => test.skip(!apps, 'the npm registry cannot be reached'))

  test('plays in Node, in plain JavaScript', async () => {
    const { status, output } = await node(apps!.node, 'drive.js')
    expect(status, output).toBe(0)
    expect(output).toContain('8 futures at tick 101')
  })

  test('plays in Node, in TypeScript, with every check on', async () => {
    cpSync(join(apps!.node, 'drive.js'), join(apps!.node, 'typed.ts'))
    const strict = [
      '--strict',
      '--noUncheckedIndexedAccess',
      '--exactOptionalPropertyTypes',
      '--skipLibCheck',
      'false',
    ]
    const modules = [
      '--module',
      'nodenext',
      '--moduleResolution',
      'nodenext',
      '--target',
      'es2022',
      '--lib',
      'es2023',
    ]
    const tsc = tool('typescript/bin/tsc')
    const checked = await node(apps!.node, tsc, ...strict, ...modules, '--types', 'node', 'typed.ts')
    expect(checked.output).toBe('')
    expect((await node(apps!.node, 'typed.js')).output).toContain('8 futures at tick 101')
  })

  test('checks worlds by its suite, and its doors share their errors', async () => {
    cpSync(join(root, 'contract/buttons'), join(apps!.node, 'buttons'), { recursive: true })
    const suite = `import { openWorld } from 'oneiro/node'
import { checkWorld } from 'oneiro/testing'
import { openWorld as openGame } from './game.js'
checkWorld('buttons', { open: () => openWorld('buttons', { threads: 1 }), ticks: 3 })
checkWorld('ball', { open: async () => openGame(), ticks: 3 })\n`
    writeFileSync(join(apps!.node, 'buttons.test.js'), suite)
    const { status, output } = await node(apps!.node, tool('vitest/vitest.mjs'), 'run', 'buttons.test.js')
    expect(status, output).toBe(0)
  })

  test('serves from a Node process', async () => {
    const child = spawn(process.execPath, ['serve.js'], {
      cwd: apps!.node,
      env: { ...process.env, PORT: '0' },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const ended = once(child, 'exit')
    try {
      const address = String((await once(child.stdout, 'data'))[0]).trim()
      const world = await openWorld(address, { assets: join(root, 'assets/drive') })
      await world.reset({ seed: 7, prompt: 'a snowy night drive' })
      expect((await world.step({ steer: 0, throttle: 1 })).index).toBe(1)
      await world.close()
    } finally {
      child.kill('SIGINT')
    }
    expect(await ended).toEqual([0, null])
  })

  test('names what is missing: ONNX Runtime, in Node', async () => {
    const open = `import('oneiro/node').then(({ openWorld }) => openWorld('assets/drive')).catch(({ code, message }) => console.log(code, message))`
    const { output } = await node(apps!.web, '-e', open)
    expect(output).toContain('PACKAGE_MISSING This needs the package onnxruntime-node')
  })

  test('plays in a page that Vite builds', async ({ page }) => {
    cpSync(join(apps!.web, 'vite.html'), join(apps!.web, 'index.html'))
    const { status, output } = await node(
      apps!.web,
      tool('vite/bin/vite.js'),
      'build',
      '--assetsDir',
      'built',
    )
    expect(status, output).toBe(0)
    symlinkSync(join(root, 'assets'), join(apps!.web, 'dist/assets'), 'junction')
    await plays(page, join(apps!.web, 'dist'), '')
  })

  test('plays in a page without a bundler, and says what its import map lacks', async ({ page }) => {
    await plays(page, apps!.web, 'page.html')
    const site = await serveFolder(apps!.web)
    const bare = read('examples/page.html')
      .replace(/,\s*"onnxruntime-web.*"/, '')
      .replace(/<script type="module".*/, '')
    await page.route('**/bare.html', (route) => route.fulfill({ contentType: 'text/html', body: bare }))
    await page.goto(`${site.url}bare.html`)
    const missing = await page.evaluate(async () => {
      const { openWorld } = await import('oneiro' as string)
      return openWorld('assets/drive/').catch(({ code }: { code: string }) => code)
    })
    expect(missing).toBe('PACKAGE_MISSING')
    await site.close()
  })
})

/** Opens a page of a folder and waits until its picture moves. */
async function plays(page: Page, folder: string, path: string): Promise<void> {
  const site = await serveFolder(folder)
  const picture = () =>
    page.evaluate(() => {
      const canvas = document.querySelector('canvas')!
      if (canvas.width !== 160) return ''
      return canvas.getContext('2d')!.getImageData(0, 0, 160, 96).data.join()
    })
  await page.goto(site.url + path)
  await expect.poll(picture, { timeout: 120_000 }).not.toBe('')
  const first = await picture()
  expect(new Set(first.split(',')).size).toBeGreaterThan(16)
  await expect.poll(picture).not.toBe(first)
  await site.close()
}

const isPackage = (name: string) => !packed.chunks.some(({ fileName }) => fileName === name)

/** The files that an entry loads, later ones too: what belongs to a worker of its own is another entry. */
function loaded(entry: string, found = new Set<Packed['chunks'][number]>()) {
  const chunk = packed.chunks.find(({ fileName }) => fileName === entry)
  if (!chunk || found.has(chunk)) return found
  found.add(chunk)
  for (const name of [...chunk.imports, ...chunk.dynamicImports]) loaded(name, found)
  return found
}

/** Gzipped, in thousands of bytes. */
function kilobytes(entry: string): number {
  const bytes = [...loaded(entry)].reduce((sum, { code }) => sum + gzipSync(code).length, 0)
  console.log(`${entry}: ${(bytes / 1000).toFixed(1)} kB gzipped`)
  return bytes / 1000
}
