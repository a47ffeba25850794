/** What tests start as processes of their own: servers, and a Redis. */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { Redis } from 'ioredis'

const root = fileURLToPath(new URL('../..', import.meta.url))
const children = new Set<ChildProcess>()
const folders = new Set<string>()

/** Ends what is still running; for `afterEach`. */
export async function endChildren(): Promise<void> {
  const ended = [...children].map((child) => {
    if (child.exitCode !== null || child.signalCode !== null) return null
    const exit = new Promise((resolve) => child.on('exit', resolve))
    child.kill('SIGKILL')
    return exit
  })
  children.clear()
  await Promise.all(ended)
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
  folders.clear()
}

/** The command line of a server with these options, without npm. */
export function commandOf(args: readonly string[]): string[] {
  return tsxOf('server/main.ts', ...args)
}

/** The command line of a TypeScript file of the project. */
export function tsxOf(file: string, ...args: readonly string[]): string[] {
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href
  return [process.execPath, '--import', tsx, join(root, file), ...args]
}

/** A server with these options. */
export function serve(...args: string[]) {
  return start(commandOf(args))
}

/** Another way to start one, by default in the root folder; `detached` in a group of its own. */
export function start([command, ...args]: readonly string[], { detached = false, cwd = root } = {}) {
  const { INIT_CWD, ...env } = process.env
  const child = spawn(command!, args, { cwd, env, detached })
  children.add(child)
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (data) => {
      output += data
    })
  }
  const status = new Promise<number | null>((resolve) => child.on('exit', resolve))
  const port = () => Number(output.match(/"port":(\d+)/)?.[1] ?? 0)
  return { child, status, port, output: () => output }
}

/** The `redis-server` of this machine: that of ONEIRO_REDIS_SERVER, or one on the PATH; null where there is none. */
export const REDIS = findRedis()
export const NO_REDIS =
  'skipped: there is no redis-server on the PATH; install it (on Debian: apt-get install redis-server), or set ONEIRO_REDIS_SERVER to its path'

function findRedis(): string | null {
  const chosen = process.env.ONEIRO_REDIS_SERVER
  const places = (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, 'redis-server'))
  return [...(chosen ? [chosen] : []), ...places].find((path) => existsSync(path)) ?? null
}

/** A Redis of the test's own, which keeps nothing on the disk. */
export class RedisChild {
  private child: ChildProcess | null = null

  private constructor(private readonly port: number) {}

  static async start(): Promise<RedisChild> {
    const redis = new RedisChild(await freePort())
    await redis.begin()
    return redis
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`
  }

  /** Starts it, empty, at the same address. */
  async begin(): Promise<void> {
    const folder = mkdtempSync(join(tmpdir(), 'oneiro-redis-'))
    folders.add(folder)
    const options = ['--port', `${this.port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
    this.child = spawn(REDIS!, [...options, '--dir', folder], { stdio: 'ignore' })
    children.add(this.child)
    const client = this.client()
    try {
      await client.ping()
    } finally {
      client.disconnect()
    }
  }

  /** It is gone, and all that it held. */
  async kill(): Promise<void> {
    const exit = new Promise((resolve) => this.child!.on('exit', resolve))
    this.child!.kill('SIGKILL')
    await exit
  }

  /** It takes connections, and answers nothing. */
  freeze(): void {
    this.child!.kill('SIGSTOP')
  }

  thaw(): void {
    this.child!.kill('SIGCONT')
  }

  /** A client that waits until Redis is there. */
  client(): Redis {
    const client = new Redis(this.url, { maxRetriesPerRequest: null, retryStrategy: () => 100 })
    client.on('error', () => {})
    return client
  }
}

export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
