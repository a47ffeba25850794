import { execFileSync, spawn, spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { Recorder } from '../../src/engine/recorder'
import { openDreamNode } from '../../src/model/node'
import { isBuilt, markedBuild, SOURCES, sourceHash } from './build-mark.mjs'
import { hostGuard, mayOpenBy, ownNames } from './hosts.mjs'
import { INSTALL, reasonToInstall } from './node-packages.mjs'
import { checkPlace, fromUser, whyNoFile } from './paths.mjs'
import { progressOf } from './progress.mjs'
import { venvFault } from './python.mjs'
import { exitCodeOf, report } from './replay-report'
import { root, SetupError } from './run.mjs'

const TINY = join(root, 'e2e/fixtures/tiny')

const made = []
function folder(name = 'oneiro-') {
  const path = mkdtempSync(join(tmpdir(), name))
  made.push(path)
  return path
}
afterAll(() => {
  for (const path of made) rmSync(path, { recursive: true, force: true })
})

describe('the built page', () => {
  function project() {
    const path = folder()
    mkdirSync(join(path, 'src'))
    writeFileSync(join(path, 'src/a.ts'), 'one')
    return path
  }

  test('is built anew where a source changed, whatever its time says', async () => {
    const path = project()
    await markedBuild(path, sourceHash(path), async () => {})
    expect(isBuilt(path, sourceHash(path))).toBe(true)
    writeFileSync(join(path, 'src/a.ts'), 'two')
    utimesSync(join(path, 'src/a.ts'), 1, 1)
    expect(isBuilt(path, sourceHash(path))).toBe(false)
    writeFileSync(join(path, 'src/a.ts'), 'one')
    expect(isBuilt(path, sourceHash(path))).toBe(true)
  })

  test('does not count where its build was interrupted', async () => {
    const path = project()
    const hash = sourceHash(path)
    await markedBuild(path, hash, async () => {})
    const interrupted = markedBuild(path, hash, async () => {
      mkdirSync(join(path, 'dist'), { recursive: true })
      writeFileSync(join(path, 'dist/index.html'), 'half')
      throw new Error('interrupted')
    })
    await expect(interrupted).rejects.toThrow('interrupted')
    expect(isBuilt(path, hash)).toBe(false)
  })

  test('knows a renamed file and one that came', () => {
    const path = project()
    const before = sourceHash(path)
    writeFileSync(join(path, 'src/b.ts'), '')
    expect(sourceHash(path)).not.toBe(before)
  })

  test('is known by every file that it is made of, wherever that lies', () => {
    const tracked = execFileSync('git', ['ls-files', 'src', 'arena', 'vite.config.ts'], { cwd: root })
    const files = `${tracked}`
      .split('\n')
      .filter((name) => /\.(ts|css|html)$/.test(name) && !/\.test\./.test(name))
    const imported = files.flatMap((name) => {
      const found = readFileSync(join(root, name), 'utf8').matchAll(/(?:from|import)[ (]'(\.{1,2}\/[^']+)'/g)
      return [...found].map(([, path]) => relative(root, join(root, dirname(name), path)))
    })
    expect(imported).toContain('contract/drive/controls.json')
    const within = (path) => SOURCES.some((source) => path === source || path.startsWith(`${source}/`))
    expect([...files, ...imported].filter((path) => !within(path))).toEqual([])
  })
})

describe('a name that the page is opened by', () => {
  test.each([
    ['192.168.0.5:4173', true],
    ['[::1]:4173', true],
    ['localhost:4173', true],
    ['box:4173', true],
    ['box.local', true],
    ['Box:4173', true],
    ['evil.example', false],
    ['', false],
  ])('%s: %s', (host, may) => {
    expect(mayOpenBy(host, ownNames('Box.home'))).toBe(may)
  })

  test.each(['configureServer', 'configurePreviewServer'])(
    'that is not allowed is told how to be: %s',
    (hook) => {
      let handle
      hostGuard(['box'])[hook]({ middlewares: { use: (use) => (handle = use) } })
      const response = { writeHead: vi.fn(), end: vi.fn() }
      const next = vi.fn()
      handle({ headers: { host: 'evil.example:4173' } }, response, next)
      expect(response.writeHead).toHaveBeenCalledWith(403, expect.anything())
      expect(response.end.mock.calls[0][0]).toContain('npm start -- --allow-host evil.example')
      handle({ headers: { host: 'box:4173' } }, response, next)
      expect(next).toHaveBeenCalledTimes(1)
    },
  )
})

describe('what is installed', () => {
  test('half-way is installed again', () => {
    const path = folder()
    writeFileSync(join(path, 'package-lock.json'), '{"packages":{}}')
    mkdirSync(join(path, 'node_modules'))
    for (const part of ['{"packages": {"node_mod', '', '[]']) {
      writeFileSync(join(path, 'node_modules/.package-lock.json'), part)
      const reason = reasonToInstall(path)
      if (part !== '[]') expect(reason).toBe('what is there is only a part')
    }
  })

  test('has the development packages, whatever NODE_ENV says, and runs no scripts of packages', () => {
    expect(INSTALL).toContain('--include=dev')
    const npm = (...args) =>
      execFileSync('npm', args, { cwd: root, env: { ...process.env, NODE_ENV: 'production' } })
    expect(`${npm('config', 'get', 'ignore-scripts')}`.trim()).toBe('true')
  })

  test('npm warns of nothing', () => {
    const { stderr } = spawnSync('npm', ['pkg', 'get', 'name'], { cwd: root, encoding: 'utf8' })
    expect(stderr).toBe('')
  })

  test('a Python environment without pip is made anew', async () => {
    const ask = (status) => vi.fn(async () => ({ status, output: '' }))
    expect(await venvFault(process.execPath, ask(1))).toBe('the one that is there has no pip')
    expect(await venvFault(process.execPath, ask(0))).toBeNull()
    expect(await venvFault(join(folder(), 'python'), ask(0))).toBe('it is not there yet')
  })
})

describe('where it lies', () => {
  test.each(['#', '?'])('a folder with %s in its name is refused in a sentence', (odd) => {
    expect(() => checkPlace(`/home/me/my${odd}projects/oneiro`)).toThrow(SetupError)
    expect(() => checkPlace('/home/me/my projects/oneiro')).not.toThrow()
  })

  test('a path is from the folder of the user, and a folder is no file', () => {
    vi.stubEnv('INIT_CWD', root)
    expect(fromUser('package.json')).toBe(join(root, 'package.json'))
    vi.stubEnv('INIT_CWD', join(root, 'src'))
    expect(fromUser('../package.json')).toBe(join(root, 'package.json'))
    vi.unstubAllEnvs()
    expect(whyNoFile(root, 'an action log')).toMatch(/is a folder. Give the path of an action log/)
    expect(whyNoFile(join(root, 'nothing.json'), 'an action log')).toMatch(/There is no file/)
    expect(whyNoFile(join(root, 'package.json'), 'an action log')).toBeNull()
  })

  test('a clone with core.autocrlf has the line ends that the checks want', () => {
    const origin = folder()
    const git = (cwd, ...args) =>
      execFileSync(
        'git',
        ['-c', 'user.name=a', '-c', 'user.email=a@b', '-c', 'core.autocrlf=true', ...args],
        {
          cwd,
          stdio: 'pipe',
        },
      )
    cpSync(join(root, '.gitattributes'), join(origin, '.gitattributes'))
    writeFileSync(join(origin, 'a.ts'), 'one\ntwo\n')
    writeFileSync(join(origin, 'a.onnx'), 'one\ntwo\n')
    git(origin, 'init', '-q')
    git(origin, 'add', '-A')
    git(origin, 'commit', '-qm', 'a')
    const clone = join(folder(), 'clone')
    git(origin, 'clone', '-q', origin, clone)
    expect(readFileSync(join(clone, 'a.ts'), 'utf8')).toBe('one\ntwo\n')
    expect(readFileSync(join(clone, 'a.onnx'), 'utf8')).toBe('one\ntwo\n')
  })
})

describe('progress', () => {
  test('is a line now and then in a file', () => {
    let text = ''
    let ms = 0
    const stream = { isTTY: false, write: (part) => (text += part) }
    const progress = progressOf({ total: 100, unit: 'ticks', stream, now: () => ms, everyMs: 20_000 })
    for (let i = 0; i < 100; i++) {
      ms += 1000
      progress.advance('8 frames/s')
    }
    progress.stop()
    expect(text.split('\n').slice(0, -1)).toEqual([
      '20 of 100 ticks, 80 s left, 8 frames/s',
      '40 of 100 ticks, 60 s left, 8 frames/s',
      '60 of 100 ticks, 40 s left, 8 frames/s',
      '80 of 100 ticks, 20 s left, 8 frames/s',
      '100 of 100 ticks, 8 frames/s',
    ])
  })
})

describe('a replay', () => {
  const base = { firstTick: 0, lastTick: 9, compared: 10, differing: 0, divergence: null }

  test('says how much was compared', () => {
    expect([report(base), exitCodeOf(base)]).toEqual([
      'Played ticks 0 to 9. All 10 frames are the same, bit for bit.',
      0,
    ])
    const part = { ...base, compared: 4 }
    expect(report(part)).toMatch(/The 4 frames that were compared are the same.*no hash of the other 6/)
    const nothing = { ...base, compared: 0 }
    expect([report(nothing), exitCodeOf(nothing)]).toEqual([expect.stringMatching(/nothing was compared/), 3])
    expect(exitCodeOf({ ...base, divergence: { tick: 1, expected: 'a', got: 'b' } })).toBe(1)
  })

  const replay = (file, cwd) =>
    spawnSync('npm', ['run', '--silent', 'replay', '--', file], { cwd, encoding: 'utf8' })

  test('ends with 0 where all is the same, 1 where a frame differs, 2 where it was not played, 3 where nothing was compared', async () => {
    const world = await openDreamNode(TINY, { threads: 1 })
    const recorder = new Recorder(world)
    await recorder.reset({ seed: 7 })
    await recorder.step({ steer: 1, throttle: 0 })
    await recorder.close()
    const log = recorder.log()
    const tmp = folder()
    const cut = join(tmp, 'cut.json')
    const file = (name, change) => {
      writeFileSync(join(tmp, name), JSON.stringify({ ...log, ...change }))
      return join(tmp, name)
    }
    writeFileSync(cut, JSON.stringify(log).slice(0, -9))
    const other = file('other.json', { modelHash: 'ff'.repeat(32) })
    const status = (...args) =>
      new Promise((resolve) => {
        const command = ['--import', 'tsx', 'scripts/replay.ts', '--assets', TINY, ...args]
        spawn(process.execPath, command, { cwd: root }).on('exit', resolve)
      })
    const codes = await Promise.all([
      status(file('same.json', {})),
      status(file('turned.json', { actions: [0] })),
      status(cut),
      status(other),
      status(other, '--any-model'),
      status(cut, '--surprise'),
      status(),
      status('--help'),
      status(file('bare.json', { hashes: [null, null] })),
    ])
    expect(codes).toEqual([0, 1, 2, 2, 0, 2, 2, 0, 3])
  }, 240_000)

  test('reads a file from where the user is, and refuses a folder and a world elsewhere, with a sentence', () => {
    const log = {
      ...{ format: 'oneiro-actions', version: 2, world: '../../etc', modelHash: 'a', backend: 'wasm' },
      ...{
        begin: { reset: { seed: 1 } },
        controls: [{ name: 'go', kind: 'button' }],
        actions: [],
        prompts: [],
        hashes: [null],
      },
    }
    const name = 'replay-test.log.json'
    const path = join(root, 'scripts', name)
    writeFileSync(path, JSON.stringify(log))
    try {
      const elsewhere = replay(name, join(root, 'scripts'))
      expect([elsewhere.status, elsewhere.stderr]).toEqual([
        2,
        expect.stringMatching(/at world: a world is a plain name/),
      ])
    } finally {
      rmSync(path)
    }
    const aFolder = replay('lib', join(root, 'scripts'))
    expect([aFolder.status, aFolder.stderr.trim().split('\n')]).toEqual([
      2,
      [expect.stringMatching(/lib is a folder/)],
    ])
    expect(existsSync(path)).toBe(false)
  }, 120_000)
})
