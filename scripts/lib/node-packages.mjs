// The npm packages: present and as the lockfile says, or installed.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { checkPlace } from './paths.mjs'
import { root, run, SetupError } from './run.mjs'

/** Throws a SetupError on a Node that Vite does not run on; `engines` of package.json says the same range. */
export function checkNode(version = process.versions.node) {
  const [major, minor] = version.split('.').map(Number)
  const fits = (major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major > 22
  if (fits) return
  throw new SetupError(
    `Oneiro needs Node 20.19 or newer of 20, or 22.12 or newer, but this is ${version}. Install the newest Node.`,
  )
}

/**
 * Why what is installed does not answer the lockfile, or null where it does. By content, since a checkout or a copy gives
 * files new times. Packages for other platforms may be absent.
 *
 * @param {{ packages: Record<string, { version?: string, optional?: boolean, peer?: boolean, devOptional?: boolean }> }} lock
 * @param {{ packages: Record<string, { version?: string }> }} installed
 */
export function missingPackage(lock, installed) {
  for (const [path, wanted] of Object.entries(lock.packages)) {
    if (path === '') continue
    const found = installed.packages?.[path]
    if (!found) {
      if (wanted.optional || wanted.devOptional || wanted.peer) continue
      return `${path} is missing`
    }
    if (found.version !== wanted.version) return `${path} is ${found.version}, not ${wanted.version}`
  }
  return null
}

/** Why the packages in a project's folder must be installed, or null where they need not. @param {string} folder */
export function reasonToInstall(folder = root) {
  const marker = join(folder, 'node_modules/.package-lock.json')
  if (!existsSync(marker)) return 'they are not there yet'
  const read = (path) => JSON.parse(readFileSync(path, 'utf8'))
  let installed
  try {
    installed = read(marker)
  } catch {
    // npm writes it last, and an interrupted one leaves a part of it.
    return 'what is there is only a part'
  }
  return missingPackage(read(join(folder, 'package-lock.json')), installed)
}

/** Development packages too, whatever NODE_ENV or npm's `omit` say: the page is built here. */
export const INSTALL = ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error']

/** Runs `npm ci` where node_modules is missing or differs from the lockfile. */
export async function ensureNodePackages() {
  checkNode()
  checkPlace()
  const reason = reasonToInstall()
  if (!reason) return
  console.log(`Installing the npm packages (${reason}) ...`)
  const { status } = await run('npm', INSTALL)
  if (status !== 0) {
    throw new SetupError('npm ci failed; its reason is above. Check the network and run the command again.')
  }
}

// What npm puts into node_modules/.bin is for a shell, on Windows; these files run anywhere.
const TOOLS = {
  biome: '@biomejs/biome/bin/biome',
  playwright: 'playwright/cli.js',
  tsc: 'typescript/bin/tsc',
  vite: 'vite/bin/vite.js',
  vitest: 'vitest/vitest.mjs',
}

/**
 * The command of an installed package: a program, and its first argument.
 *
 * @param {keyof typeof TOOLS} name
 */
export function tool(name) {
  return [process.execPath, join(root, 'node_modules', TOOLS[name])]
}
