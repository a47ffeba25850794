/** When the program is asked to end. */

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
    const parent = process.ppid
    setInterval(() => {
      if (process.ppid !== parent) resolve('npm is gone')
    }, LOOK_MS).unref()
  })
}
