// A redis-server for the tests of many machines.
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { isDebian } from './chromium.mjs'
import { run, SetupError } from './run.mjs'

/** Path of a redis-server: the one ONEIRO_REDIS_SERVER names, else one on the PATH, else null. */
export function findRedis() {
  const chosen = process.env.ONEIRO_REDIS_SERVER
  if (chosen) {
    if (existsSync(chosen)) return chosen
    throw new SetupError(
      `ONEIRO_REDIS_SERVER names ${chosen}, but there is no such file. Correct or unset it.`,
    )
  }
  const folders = (process.env.PATH ?? '').split(delimiter)
  return folders.map((folder) => join(folder, 'redis-server')).find((path) => existsSync(path)) ?? null
}

/**
 * Finds a redis-server, or installs Debian's as root on Debian. Elsewhere the tests that need one are skipped, and say so.
 *
 * @returns {Promise<string | null>}
 */
export async function ensureRedis() {
  const found = findRedis()
  if (found) return found
  if (process.getuid?.() === 0 && isDebian()) {
    console.log('Installing redis-server ...')
    await run('apt-get', ['update', '-qq'])
    await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'redis-server'], {
      // Only its program is wanted, and no service.
      env: { DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' },
    })
  }
  const installed = findRedis()
  if (!installed) {
    console.warn(
      'No redis-server was found, so the tests of many machines are skipped. Install Redis, or set ONEIRO_REDIS_SERVER to the path of its redis-server.',
    )
  }
  return installed
}
