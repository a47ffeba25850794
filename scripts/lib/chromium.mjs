// One Chromium for the recorder and the end-to-end tests.
import { existsSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { run, SetupError } from './run.mjs'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome.exe']
const PLACES = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
]

/**
 * Path of a Chromium or Chrome: the one ONEIRO_CHROMIUM names, else one on the PATH, else Playwright's own, else null.
 *
 * @returns {Promise<string | null>}
 */
export async function findChromium() {
  const chosen = process.env.ONEIRO_CHROMIUM
  if (chosen) {
    if (existsSync(chosen)) return chosen
    throw new SetupError(`ONEIRO_CHROMIUM names ${chosen}, but there is no such file. Correct or unset it.`)
  }
  const folders = (process.env.PATH ?? '').split(delimiter)
  const onPath = NAMES.flatMap((name) => folders.map((folder) => join(folder, name)))
  const found = [...onPath, ...PLACES].find((path) => existsSync(path))
  if (found) return found
  const { chromium } = await import('playwright')
  const own = chromium.executablePath()
  return own && existsSync(own) ? own : null
}

/** True on Debian itself. */
export function isDebian() {
  return existsSync('/etc/os-release') && /^ID=debian$/m.test(readFileSync('/etc/os-release', 'utf8'))
}

/**
 * Finds a Chromium or installs one. As root on Debian it comes from Debian, with the libraries it needs; anywhere else
 * Playwright downloads its own.
 *
 * @returns {Promise<string>}
 */
export async function ensureChromium() {
  const found = await findChromium()
  if (found) return found
  console.log('Installing Chromium ...')
  if (process.getuid?.() === 0 && isDebian()) {
    await run('apt-get', ['update', '-qq'])
    await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'chromium'], {
      env: { DEBIAN_FRONTEND: 'noninteractive' },
    })
  } else {
    await run('npx', ['playwright', 'install', 'chromium', '--no-shell'])
  }
  const installed = await findChromium()
  if (installed) return installed
  throw new SetupError(
    'No Chromium was found and none could be installed. Install Chromium or Chrome, or set ONEIRO_CHROMIUM to its path.',
  )
}
