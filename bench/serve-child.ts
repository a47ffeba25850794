import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { OneiroError } from '../src/engine/errors'
import { type Runs, runsFrom } from './serve-stats'

export const root = fileURLToPath(new URL('..', import.meta.url))
/** Arguments for Node to run TypeScript, as `npm run` does. */
export const TYPESCRIPT = ['--import', pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href]

/** Loading a world and its runtime, on a machine that does something else as well. */
const START_MS = 120_000
const END_MS = 20_000

/** `npm run serve` as a process of its own. */
export class ServerChild {
  private constructor(
    private readonly child: ChildProcess,
    readonly port: number,
    private readonly exited: Promise<void>,
  ) {}

  /** Starts it with these options, from the checkout in `folder`, and waits until it serves. Throws what it said where it does not. */
  static async start(args: readonly string[], folder = root): Promise<ServerChild> {
    const child = spawn(process.execPath, [...TYPESCRIPT, 'server/main.ts', ...args], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    const exited = new Promise<void>((resolve) => child.on('exit', () => resolve()))
    const port = new Promise<number>((resolve, reject) => {
      const refuse = (what: string) =>
        reject(
          new OneiroError('SERVER_CHILD', `A server was expected, but ${what}: ${output.trim().slice(-600)}`),
        )
      const timer = setTimeout(() => refuse(`it did not serve within ${START_MS / 1000} s`), START_MS)
      for (const stream of [child.stdout, child.stderr]) {
        stream.on('data', (data) => {
          // What comes later is a line for every client, which nobody reads.
          if (output.length < 10_000) output += data
          const found = output.match(/"port":(\d+)/)
          if (!found) return
          clearTimeout(timer)
          resolve(Number(found[1]))
        })
      }
      void exited.then(() => {
        clearTimeout(timer)
        refuse('it ended')
      })
    })
    try {
      return new ServerChild(child, await port, exited)
    } catch (error) {
      child.kill('SIGKILL')
      throw error
    }
  }

  /** What it counted so far. */
  async runs(): Promise<Runs> {
    const answer = await fetch(`http://localhost:${this.port}/metrics`)
    return runsFrom(await answer.text())
  }

  /** Processor milliseconds that it used so far; null where the system does not tell. */
  cpuMs(): number | null {
    try {
      const stat = readFileSync(`/proc/${this.child.pid}/stat`, 'utf8')
      // The name, in brackets, may hold spaces. Behind it the 12th and 13th fields are user and system time.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      return ((Number(fields[11]) + Number(fields[12])) * 1000) / clockTicks()
    } catch {
      return null
    }
  }

  /** `SIGKILL` is a machine that dies. */
  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    this.child.kill(signal)
    const timer = setTimeout(() => this.child.kill('SIGKILL'), END_MS)
    await this.exited
    clearTimeout(timer)
  }
}

function clockTicks(): number {
  return Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))
}
