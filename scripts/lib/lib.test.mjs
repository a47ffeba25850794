import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import {
  add,
  countReport,
  lastLine,
  none,
  playwrightCounts,
  pytestCounts,
  statusOf,
  vitestCounts,
} from './counts.mjs'
import { checkNode, missingPackage, tool } from './node-packages.mjs'
import { needsShell, root, run, SetupError } from './run.mjs'

const folder = mkdtempSync(join(tmpdir(), 'oneiro-lib-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('counting tests', () => {
  test('reads each runner, and names what was skipped', () => {
    const unit = {
      ...{ numPassedTests: 7, numFailedTests: 1, numPendingTests: 2 },
      testResults: [
        {
          name: join(root, 'server/cluster.test.ts'),
          assertionResults: [{ status: 'skipped' }, { status: 'pending' }, { status: 'passed' }],
        },
      ],
    }
    expect(vitestCounts(JSON.stringify(unit))).toMatchObject({
      ...{ passed: 7, failed: 1, skipped: { 'server/cluster.test.ts': 2 } },
    })
    const xml =
      '<?xml version="1.0"?><testsuites name="pytest tests"><testsuite name="pytest" errors="1" failures="2" skipped="1" tests="14" time="0.1"><testcase classname="distill.tests.test_wan" name="a" time="0.1"><skipped type="pytest.skip" message="no GPU">x</skipped></testcase><testcase classname="distill.tests.test_dit" name="b" time="0.1" /></testsuite>'
    expect(pytestCounts(xml)).toMatchObject({
      ...{ passed: 10, failed: 3, skipped: { 'distill/tests/test_wan.py': 1 } },
    })
  })

  test('counts a test that passed only on a second try as failed, by its name', () => {
    const json = JSON.stringify({
      stats: { expected: 3, skipped: 1, unexpected: 2, flaky: 1 },
      suites: [
        {
          file: 'page.spec.ts',
          specs: [{ title: 'plays', tests: [{ status: 'flaky' }] }],
          suites: [{ file: 'page.spec.ts', specs: [{ title: 'waits', tests: [{ status: 'skipped' }] }] }],
        },
      ],
    })
    expect(playwrightCounts(json)).toEqual({
      passed: 3,
      failed: 3,
      skipped: { 'e2e/page.spec.ts': 1 },
      unsteady: ['e2e/page.spec.ts: plays'],
    })
    expect(readFileSync(join(root, 'playwright.config.ts'), 'utf8')).toMatch(/retries: 0,/)
  })

  test('names a Python file that was skipped as a whole', () => {
    const xml =
      '<testsuite name="pytest" errors="0" failures="0" skipped="1" tests="1" time="0.1"><testcase classname="" name="clients.python.tests.test_sb3" time="0.0"><skipped type="pytest.skip" message="no sb3">x</skipped></testcase></testsuite>'
    expect(pytestCounts(xml)).toMatchObject({ passed: 0, skipped: { 'clients/python/tests/test_sb3.py': 1 } })
  })

  test('ends with a line that counts all, and names the files of skipped tests', () => {
    expect(lastLine({ ...none(), passed: 9 })).toBe('9 passed, 0 failed')
    const skipped = { 'a.test.ts': 5, 'b.test.ts': 2 }
    expect(lastLine({ ...none(), passed: 9, failed: 1, skipped })).toBe(
      '9 passed, 1 failed, 7 skipped (5 of a.test.ts, 2 of b.test.ts)',
    )
    const script = readFileSync(join(root, 'scripts/test.mjs'), 'utf8')
    expect(script).toMatch(/\$\{lastLine\(total\)\}`\)\n/)
  })

  test('adds up stages, also what two of them skipped in one file, and fails where nothing passed', () => {
    const total = none()
    add(total, { ...none(), passed: 4, skipped: { 'a.test.ts': 2 } })
    expect([total.passed, statusOf(total)]).toEqual([4, 0])
    add(total, { ...none(), failed: 1, skipped: { 'a.test.ts': 1, 'b.test.ts': 5 }, unsteady: ['a: plays'] })
    expect(total).toEqual({
      ...{ passed: 4, failed: 1, unsteady: ['a: plays'] },
      skipped: { 'a.test.ts': 3, 'b.test.ts': 5 },
    })
    expect([statusOf(total), statusOf(none())]).toEqual([1, 1])
  })

  test('a stage whose needs cannot be set up has failed, and says which need it is', () => {
    const env = { ...process.env, ONEIRO_CHROMIUM: join(folder, 'no-browser') }
    const command = [join(root, 'scripts/test.mjs'), '--only', 'e2e']
    const { status, stdout, stderr } = spawnSync(process.execPath, command, { env, encoding: 'utf8' })
    expect([status, stdout.trim().split('\n').at(-1)]).toEqual([1, '0 passed, 1 failed'])
    expect(stderr).toMatch(
      /no-browser, but there is no such file.*e2e cannot run: chromium could not be set up/s,
    )
  })

  test('a runner that failed without a failed test still counts as a failure', () => {
    const path = join(folder, 'report.json')
    writeFileSync(path, '{"numPassedTests":7,"numFailedTests":0}')
    expect(countReport(0, path, vitestCounts)).toMatchObject({ passed: 7, failed: 0 })
    expect(countReport(1, path, vitestCounts)).toMatchObject({ passed: 7, failed: 1 })
    expect(countReport(0, join(folder, 'none.json'), vitestCounts)).toMatchObject({ passed: 0, failed: 1 })
    writeFileSync(path, '{"numPassedTests":')
    expect(countReport(0, path, vitestCounts)).toMatchObject({ passed: 0, failed: 1 })
  })
})

describe('installed packages', () => {
  const lock = {
    packages: {
      '': {},
      'node_modules/a': { version: '1.0.0' },
      'node_modules/b-linux': { version: '2.0.0', optional: true },
    },
  }

  test('answer the lockfile by content; those for other platforms may be absent', () => {
    expect(missingPackage(lock, { packages: { 'node_modules/a': { version: '1.0.0' } } })).toBeNull()
  })

  test('that are missing or old are named', () => {
    expect(missingPackage(lock, { packages: {} })).toBe('node_modules/a is missing')
    const old = { packages: { 'node_modules/a': { version: '0.9.0' } } }
    expect(missingPackage(lock, old)).toBe('node_modules/a is 0.9.0, not 1.0.0')
  })

  test.each(['18.20.0', '20.18.9', '21.7.3', '22.0.0', '22.11.0'])('do not run on Node %s', (version) => {
    expect(() => checkNode(version)).toThrow(SetupError)
    expect(() => checkNode(version)).toThrow(
      `20.19 or newer of 20, or 22.12 or newer, but this is ${version}`,
    )
  })

  test.each(['20.19.0', '20.20.2', '22.12.0', '23.0.0', '24.0.0'])('run on Node %s', (version) => {
    expect(() => checkNode(version)).not.toThrow()
  })

  test('need the Node that package.json and its lockfile say, which is that of Vite', () => {
    const read = (path) => JSON.parse(readFileSync(join(root, path), 'utf8'))
    const { node } = read('package.json').engines
    const { packages } = read('package-lock.json')
    expect([node, packages[''].engines.node]).toEqual(
      Array(2).fill(packages['node_modules/vite'].engines.node),
    )
  })
})

describe('running a command', () => {
  test('gives its output and status', async () => {
    expect(
      await run(process.execPath, ['-e', 'console.log(6*7); process.exit(3)'], { capture: true }),
    ).toEqual({
      status: 3,
      output: '42\n',
    })
  })

  test('of two words goes through no shell, nor does what a shell would act on', async () => {
    const spaced = join(folder, 'a program.mjs')
    writeFileSync(spaced, 'console.log(process.argv[2])')
    const said = 'sys.version_info < (3, 11) & "so" on'
    expect((await run(process.execPath, [spaced, said], { capture: true })).output).toBe(`${said}\n`)
  })

  test.each([
    ['npm', 'win32', true],
    ['npx', 'win32', true],
    ['C:\\Program Files\\nodejs\\node.exe', 'win32', false],
    ['python3', 'win32', false],
    ['npm', 'linux', false],
    ['npx', 'darwin', false],
  ])('%s on %s needs a shell: %s', (command, platform, needed) => {
    expect(needsShell(command, platform)).toBe(needed)
  })

  test.each(['biome', 'playwright', 'tsc', 'vite', 'vitest'])('runs %s by Node, without a shell', (name) => {
    const [program, script] = tool(name)
    expect([program, existsSync(script)]).toEqual([process.execPath, true])
  })

  describe('of a process that is asked to end', () => {
    const asked = async (signal, command) => {
      const program = join(folder, 'asked.mjs')
      const lib = pathToFileURL(join(root, 'scripts/lib/run.mjs')).href
      writeFileSync(
        program,
        `import { run, runMain } from ${JSON.stringify(lib)}
        await runMain(async () => {
          const { status } = await run(process.execPath, ['-e', ${JSON.stringify(command)}])
          console.log('then', status)
        })`,
      )
      const child = spawn(process.execPath, [program], { detached: true })
      const said = []
      child.stderr.on('data', (chunk) => said.push(`${chunk}`))
      child.stdout.on('data', (chunk) => {
        said.push(`${chunk}`)
        // As a terminal does it, an interrupt goes to the whole group.
        if (said.length === 1) process.kill(signal === 'SIGINT' ? -child.pid : child.pid, signal)
      })
      const [status] = await once(child, 'close')
      return [said.join(''), status]
    }
    const waits = 'console.log("first"); setInterval(() => {}, 1000)'

    test.each([
      ['SIGTERM', 143],
      ['SIGINT', 130],
    ])('by %s: nothing comes after it', async (signal, status) => {
      expect(await asked(signal, waits)).toEqual(['first\n', status])
    })

    test('ends well by itself, as a server that drains: its status counts', async () => {
      expect(await asked('SIGTERM', `process.on("SIGTERM", () => process.exit(0)); ${waits}`)).toEqual([
        'first\nthen 0\n',
        0,
      ])
    })
  })

  test('that does not exist gives status 127', async () => {
    expect((await run('no-such-command-at-all', [], { capture: true })).status).toBe(127)
  })
})

describe('the checkout', () => {
  test('stays below 60 megabytes', () => {
    const { stdout, status } = spawnSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8' })
    if (status !== 0) return // from an archive: there is no list of what is tracked
    const files = stdout.split('\0').filter((file) => file && existsSync(join(root, file)))
    const bytes = files.reduce((sum, file) => sum + statSync(join(root, file)).size, 0)
    expect(bytes / 1e6).toBeLessThan(60)
  })
})
