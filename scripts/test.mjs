// npm test: sets up, then runs every check there is. Only Node's own modules, since nothing may be installed yet.
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ensureChromium } from './lib/chromium.mjs'
import {
  add,
  countReport,
  lastLine,
  none,
  playwrightCounts,
  pytestCounts,
  statusOf,
  vitestCounts,
} from './lib/counts.mjs'
import { ensureNodePackages, tool } from './lib/node-packages.mjs'
import { ensurePython, TEST_REQUIREMENTS, venvPython } from './lib/python.mjs'
import { ensureRedis } from './lib/redis.mjs'
import { run, SetupError, Stopped } from './lib/run.mjs'

const reports = mkdtempSync(join(tmpdir(), 'oneiro-test-'))

/** A stage of one command counts as one test. */
async function one(...commands) {
  let failed = 0
  for (const [command, ...args] of commands) if ((await run(command, args)).status !== 0) failed = 1
  return { ...none(), passed: 1 - failed, failed }
}

async function counted(name, parse, [command, ...first], args, env) {
  const path = join(reports, name)
  const given = args.map((arg) => arg.replace('REPORT', path))
  const { status } = await run(command, [...first, ...given], { env: await env?.(path) })
  return countReport(status, path, parse)
}

async function freePort() {
  const server = createServer().listen(0)
  await once(server, 'listening')
  const { port } = server.address()
  await new Promise((closed) => server.close(closed))
  return port
}

/** Each stage names what it needs; what could not be set up fails only the stages that need it. */
const STAGES = {
  types: { needs: ['node'], run: () => one([...tool('tsc'), '--noEmit']) },
  lint: {
    needs: ['node', 'python'],
    run: () =>
      one(
        [...tool('biome'), 'check', '--error-on-warnings', '.'],
        [venvPython, '-m', 'ruff', 'check', 'distill', 'clients/python', 'examples'],
      ),
  },
  unit: {
    needs: ['node', 'redis'],
    run: () =>
      counted('unit.json', vitestCounts, tool('vitest'), [
        'run',
        '--reporter=default',
        '--reporter=json',
        '--outputFile.json=REPORT',
      ]),
  },
  python: {
    needs: ['node', 'python'],
    run: () => counted('python.xml', pytestCounts, [venvPython], ['-m', 'pytest', '--junitxml=REPORT']),
  },
  build: { needs: ['node'], run: () => one([...tool('vite'), 'build', '--logLevel', 'warn']) },
  e2e: {
    needs: ['node', 'chromium'],
    run: () =>
      counted(
        'e2e.json',
        playwrightCounts,
        tool('playwright'),
        ['test', '--reporter=list,json'],
        async (path) => ({
          PLAYWRIGHT_JSON_OUTPUT_FILE: path,
          // A second run beside this one has a page of its own.
          ONEIRO_E2E_PORT: process.env.ONEIRO_E2E_PORT ?? String(await freePort()),
        }),
      ),
  },
}
const SETUP = {
  node: ensureNodePackages,
  python: () => ensurePython(TEST_REQUIREMENTS),
  chromium: ensureChromium,
  redis: ensureRedis,
}

const HELP = `npm test -- [--only STAGE,STAGE]

Sets up what is missing, then runs the stages ${Object.keys(STAGES).join(', ')}.
A failing stage does not stop the next. The last line counts the tests, and names the files of those that were
skipped; types, lint and build count as one each.`

function readStages() {
  const { values } = parseArgs({ options: { only: { type: 'string' }, help: { type: 'boolean' } } })
  if (values.help) return null
  const names = values.only?.split(',') ?? Object.keys(STAGES)
  for (const name of names) {
    if (!STAGES[name]) {
      throw new SetupError(`There is no stage "${name}". Choose from ${Object.keys(STAGES).join(', ')}.`)
    }
  }
  return names
}

async function setUp(names) {
  const broken = new Map()
  for (const need of Object.keys(SETUP)) {
    if (!names.some((name) => STAGES[name].needs.includes(need))) continue
    try {
      await SETUP[need]()
    } catch (error) {
      if (error instanceof Stopped) throw error
      console.error(error instanceof SetupError ? error.message : error)
      broken.set(need, error)
    }
  }
  return broken
}

const seconds = (since) => `${((performance.now() - since) / 1000).toFixed(1)} s`

async function main() {
  const names = readStages()
  if (!names) return console.log(HELP)
  const begin = performance.now()
  const broken = await setUp(names)
  console.log(`setup: ${seconds(begin)}`)
  const total = none()
  const lines = []
  for (const name of names) {
    const since = performance.now()
    console.log(`\n== ${name}`)
    const lacking = STAGES[name].needs.find((need) => broken.has(need))
    if (lacking) console.error(`${name} cannot run: ${lacking} could not be set up, see above.`)
    const counts = lacking ? { ...none(), failed: 1 } : await STAGES[name].run()
    add(total, counts)
    lines.push(`${name.padEnd(6)} ${counts.passed} passed, ${counts.failed} failed, ${seconds(since)}`)
    console.log(`-- ${lines.at(-1)}`)
  }
  for (const test of total.unsteady) lines.push(`passed only when it was tried again: ${test}`)
  console.log(`\n== in all, ${seconds(begin)}\n${lines.join('\n')}\n\n${lastLine(total)}`)
  process.exitCode = statusOf(total)
}

try {
  await main()
} catch (error) {
  console.error(error.message)
  process.exitCode = error instanceof Stopped ? error.status : 2
} finally {
  rmSync(reports, { recursive: true, force: true })
}
