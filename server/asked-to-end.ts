/** When the program is asked to end. */
import { readFileSync } from 'node:fs'

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const
const LOOK_MS = 500

/**
 * Resolves with why. Call it first of all: the first process of a container is not ended by a signal that it does not
 * listen to. `npm` may go without a word to what it started, so there its end counts too.
 */
export function askedToEnd(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of SIGNALS) process.on(signal, () => resolve(signal))
    if (process.env.npm_lifecycle_event === undefined) return
    const before = above()
    setInterval(() => {
      if (above() !== before) resolve('npm is gone')
    }, LOOK_MS).unref()
  })
}

/** Whose child this is; and behind the shell that npm puts between, whose child that is. */
function above(): string {
  const { ppid } = process
  try {
    const stat = readFileSync(`/proc/${ppid}/stat`, 'utf8')
    // The name, in brackets, may hold spaces; behind it come the state and the parent.
    const name = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'))
    if (name.startsWith('npm')) return `${ppid}`
    return `${ppid} ${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]}`
  } catch {
    return `${ppid}`
  }
}
