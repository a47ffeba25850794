/** SIGTERM drains the server, however it was started. */
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import { TINY } from '../src/model/testing'
import { commandOf, endChildren, start } from './testing/children'
import { RawClient } from './testing/servers'

const PATIENCE = 600_000
const root = fileURLToPath(new URL('..', import.meta.url))
const groups: number[] = []
const folders: string[] = []
afterEach(async () => {
  // Whatever of a group was left over.
  for (const group of groups.splice(0)) {
    try {
      process.kill(-group, 'SIGKILL')
    } catch {
      // It is gone, as it should be.
    }
  }
  await endChildren()
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})

const OPTIONS = ['--world', TINY, '--port', '0', '--threads', '1', '--max-sessions', '2']
const NPM = ['npm', 'run', 'serve', '--', ...OPTIONS]
const SCRIPT = [process.execPath, join(root, 'scripts/serve.mjs'), ...OPTIONS]
const TSX = [process.execPath, join(root, 'node_modules/tsx/dist/cli.mjs'), 'server/main.ts', ...OPTIONS]
/** As the first process of a container is: signals that it does not listen to do nothing. */
const FIRST = ['unshare', '--pid', '--fork', '--kill-child', ...SCRIPT]

function mayUnshare(): boolean {
  try {
    execFileSync('unshare', ['--pid', '--fork', 'true'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

async function served(command: readonly string[], cwd = root) {
  const server = start(command, { detached: true, cwd })
  groups.push(server.child.pid!)
  await expect.poll(server.port, { timeout: PATIENCE, interval: 200 }).toBeTruthy()
  const player = new RawClient({ port: server.port() })
  await player.hello()
  player.say({ type: 'reset', request: 1, body: { seed: 1 } })
  await player.first('frame')
  return { ...server, player }
}

/** The player was handed its drive, and nothing of the server is left. */
async function drained({ player, port, output }: Awaited<ReturnType<typeof served>>): Promise<void> {
  expect(await player.first('state')).toMatchObject({ request: 0, body: { tick: 0 } })
  expect(await player.closed).toBe('1001 SERVER_DRAINING')
  await expect.poll(output, { timeout: 60_000 }).toContain('"msg":"ended"')
  const address = `http://127.0.0.1:${port()}/healthz`
  await expect
    .poll(
      () =>
        fetch(address).then(
          () => 'lives',
          () => 'gone',
        ),
      { timeout: 60_000 },
    )
    .toBe('gone')
}

describe('a server that was started', () => {
  it.each<[string, readonly string[], NodeJS.Signals]>([
    ['by npm', NPM, 'SIGTERM'],
    ['by npm', NPM, 'SIGKILL'],
    ['by its script', SCRIPT, 'SIGTERM'],
    ['by its script', SCRIPT, 'SIGINT'],
    ['by its script', SCRIPT, 'SIGHUP'],
    ['by node', commandOf(OPTIONS), 'SIGTERM'],
    ['by tsx', TSX, 'SIGTERM'],
  ])(
    '%s (%#) drains when that is ended',
    async (_how, command, signal) => {
      const server = await served(command)
      server.child.kill(signal)
      await drained(server)
      if (command === SCRIPT) expect(await server.status).toBe(0)
    },
    PATIENCE,
  )

  it.skipIf(!mayUnshare())(
    'as the first process of a container drains',
    async () => {
      const server = await served(FIRST)
      const children = readFileSync(`/proc/${server.child.pid}/task/${server.child.pid}/children`, 'utf8')
      process.kill(Number(children.trim()), 'SIGTERM')
      await drained(server)
    },
    PATIENCE,
  )

  it(
    'ends at once where it does not serve yet',
    async () => {
      const { child, status, output } = start(SCRIPT)
      await expect.poll(output, { timeout: PATIENCE, interval: 20 }).toContain('loading the world')
      child.kill('SIGTERM')
      expect(await status).toBe(0)
      expect(output()).toContain('ended before it served')
    },
    PATIENCE,
  )
})

describe('what is shipped to start it', () => {
  const read = (path: string) => readFileSync(join(root, path), 'utf8')

  it('a container file runs the script itself, with no shell or npm before it', () => {
    const file = read('deploy/Containerfile')
    expect(file).toContain('ENTRYPOINT ["node", "scripts/serve.mjs"')
    const copied = [...file.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, paths]) => paths!.split(' '))
    for (const path of copied.filter((one) => !one.startsWith('--')))
      expect(existsSync(join(root, path))).toBe(true)
  })

  it(
    'what the container file copies is all that it takes to serve and to drain',
    async () => {
      const folder = mkdtempSync(join(tmpdir(), 'oneiro-container-'))
      folders.push(folder)
      for (const [, paths] of read('deploy/Containerfile').matchAll(/^COPY (.+) \S+$/gm)) {
        for (const path of paths!.split(' '))
          cpSync(join(root, path), join(folder, path), { recursive: true })
      }
      symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
      const server = await served([process.execPath, 'scripts/serve.mjs', ...OPTIONS], folder)
      server.child.kill('SIGTERM')
      await drained(server)
      expect(await server.status).toBe(0)
    },
    PATIENCE,
  )

  it('a unit gives a drain more time than it takes at most', () => {
    const unit = read('deploy/oneiro.service')
    expect(unit).toMatch(/^ExecStart=.*node scripts\/serve\.mjs/m)
    const stop = Number(unit.match(/^TimeoutStopSec=(\d+)$/m)![1])
    const longest = Number(read('server/main.ts').match(/LONGEST_DRAIN_MS = (\d+)_000/)![1])
    expect(stop).toBeGreaterThan(longest)
  })

  it.skipIf(!existsSync('/usr/bin/systemd-analyze'))('systemd understands the unit', () => {
    const checked = execFileSync(
      'systemd-analyze',
      ['verify', '--man=no', join(root, 'deploy/oneiro.service')],
      {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    )
    expect(checked).toBe('')
  })
})
