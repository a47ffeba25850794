import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { OneiroError } from '../src/engine/errors'
import { root, TYPESCRIPT } from './serve-child'

export interface LinkOptions {
  /** Milliseconds, half of it each way. */
  readonly rtt: number
  /** Mbit/s each way. */
  readonly rate: number
  /** Per cent of packets, each way. */
  readonly loss: number
}

/** Where the server listens, and the address by which it is met through the link; `link.py` has both. */
export const HERE = '10.77.0.1'
export const THERE = '10.77.0.2'
/** In a network namespace of its own every port is free. */
export const LINK_PORT = 7700

const INSIDE = 'ONEIRO_BENCH_NAMESPACE'
const PYTHON = 'python3'
const SCRIPT = 'bench/link.py'

/** True in the process that runs in the namespace. */
export const isInside = () => process.env[INSIDE] === '1'

/** Who is not root becomes root of the namespace alone, where the system allows that. */
function unshare(): [string, ...string[]] {
  return process.getuid?.() === 0 ? ['unshare', '--net'] : ['unshare', '--map-root-user', '--net']
}

/** Why this machine cannot make such a link, or null where it can. */
export function whyNoLink(): string | null {
  if (process.platform !== 'linux')
    return `network namespaces are a thing of Linux, and this is ${process.platform}`
  const [command, ...args] = unshare()
  const { status, error, stderr } = spawnSync(command, [...args, PYTHON, SCRIPT, '--check'], {
    cwd: root,
    encoding: 'utf8',
  })
  if (status === 0) return null
  const why = (error?.message ?? stderr.trim()) || `${command} ended with status ${status}`
  return `a network namespace with a TUN device is needed (unshare, iproute2, python3, /dev/net/tun, root), and this came of it: ${why}`
}

/** Runs this very command again in a namespace of its own; resolves with its exit status. */
export function runInside(): Promise<number> {
  const [command, ...args] = unshare()
  const again = [process.execPath, ...TYPESCRIPT, 'bench/main.ts', ...process.argv.slice(2)]
  const child = spawn(command, [...args, ...again], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, [INSIDE]: '1' },
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', (status) => resolve(status ?? 1))
  })
}

/** The link itself, up until `stop`. */
export class SlowLink {
  private constructor(private readonly child: ChildProcess) {}

  static async start({ rtt, rate, loss }: LinkOptions): Promise<SlowLink> {
    const options = { port: LINK_PORT, rtt, rate, loss }
    const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)])
    const child = spawn(PYTHON, [SCRIPT, ...args], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
    let said = ''
    await new Promise<void>((resolve, reject) => {
      child.stderr.on('data', (data) => {
        said += data
      })
      child.stdout.once('data', () => resolve())
      child.on('error', reject)
      child.on('exit', () =>
        reject(new OneiroError('LINK', `A link was expected, but it ended: ${said.trim()}`)),
      )
    })
    return new SlowLink(child)
  }

  stop(): void {
    this.child.kill('SIGTERM')
  }
}
