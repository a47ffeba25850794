// Child processes, for scripts that run before anything is installed: only Node's own modules.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** The repository's root folder. */
export const root = fileURLToPath(new URL('../..', import.meta.url))

/** A reason to stop that the person can act on; printed without a stack. */
export class SetupError extends Error {}

/** Somebody asked this process to end while a command ran, and the command ended of it: not a fault of either. */
export class Stopped extends SetupError {
  constructor(signal) {
    super(`Stopped by ${signal}.`)
    this.status = signal === 'SIGINT' ? 130 : 143
  }
}

/**
 * Whether a command starts only through a shell: npm and npx are batch files on Windows. A shell is given the words as one
 * unquoted line, so no other program goes through it, and those two are only ever given fixed words.
 *
 * @param {string} command
 * @param {string} [platform]
 */
export function needsShell(command, platform = process.platform) {
  return platform === 'win32' && (command === 'npm' || command === 'npx')
}

/**
 * Runs a command in the repository root. Resolves to its exit status and, with `capture`, what it printed.
 * A command that cannot be started gives status 127. Rejects with {@link Stopped} where this process was asked to end and
 * the command failed of it; one that ended well (a server that drained) gives its status.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {{ env?: Record<string, string>, capture?: boolean }} [options]
 * @returns {Promise<{ status: number, output: string }>}
 */
export function run(command, args, { env = {}, capture = false } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: capture ? ['ignore', 'pipe', 'pipe'] : 'inherit',
      shell: needsShell(command),
    })
    let output = ''
    child.stdout?.on('data', (chunk) => {
      output += chunk
    })
    child.stderr?.on('data', (chunk) => {
      output += chunk
    })
    let asked = ''
    const forward = (signal) => {
      asked = signal
      child.kill(signal)
    }
    process.on('SIGTERM', forward)
    // A terminal's interrupt reaches the child by itself; it decides when to end.
    const wait = (signal) => {
      asked = signal
    }
    process.on('SIGINT', wait)
    const end = (status) => {
      process.off('SIGTERM', forward)
      process.off('SIGINT', wait)
      if (asked && status !== 0) reject(new Stopped(asked))
      else resolve({ status, output })
    }
    child.on('error', () => end(127))
    child.on('close', (code, signal) => end(code ?? (signal === 'SIGINT' ? 130 : 143)))
  })
}

/** Runs `main`, prints a {@link SetupError} as a sentence, and sets the exit status. */
export async function runMain(main) {
  try {
    process.exitCode = (await main()) ?? 0
  } catch (error) {
    if (!(error instanceof Stopped)) console.error(error instanceof SetupError ? error.message : error)
    process.exitCode = error instanceof Stopped ? error.status : 1
  }
}
