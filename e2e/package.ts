/** The npm package as a stranger has it: packed, and installed into empty folders. */
import { spawn } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildPackage } from '../scripts/lib/package.mjs'

export const root = fileURLToPath(new URL('..', import.meta.url))

/** What npm says where it cannot reach the registry. */
const OFFLINE = /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ERR_SOCKET_TIMEOUT)\b/

export interface Ran {
  /** Exit status; null where a signal ended it. */
  readonly status: number | null
  readonly output: string
}

/** Runs a program to its end. */
export function run(command: string, args: readonly string[], cwd: string): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, shell: process.platform === 'win32' && command === 'npm' })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (data) => {
        output += data
      })
    }
    child.on('error', reject)
    child.on('close', (status) => resolve({ status, output }))
  })
}

/** Runs Node to its end; `file` is one of the folder, or of a package of ours. */
export const node = (cwd: string, ...args: string[]) => run(process.execPath, args, cwd)
export const tool = (path: string) => join(root, 'node_modules', path)

export interface Packed {
  readonly folder: string
  readonly archive: string
  readonly files: readonly string[]
  readonly chunks: Awaited<ReturnType<typeof buildPackage>>
  remove(): void
}

export async function pack(): Promise<Packed> {
  const chunks = await buildPackage()
  const folder = mkdtempSync(join(tmpdir(), 'oneiro-package-'))
  const { status, output } = await run('npm', ['pack', '--json', '--pack-destination', folder], root)
  if (status !== 0) throw new Error(`npm pack failed: ${output}`)
  const [{ filename, files }] = JSON.parse(output)
  return {
    ...{ folder, chunks, archive: join(folder, filename) },
    files: files.map(({ path }: { path: string }) => path),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

/**
 * Installs the archive into an empty folder, and links `links` from our own packages. False where that needs the registry and it
 * cannot be reached.
 */
export async function install({ archive, folder }: Packed, name: string, links: string[]): Promise<boolean> {
  const app = appOf(folder, name)
  cpSync(join(root, 'examples'), app, { recursive: true })
  symlinkSync(join(root, 'assets'), join(app, 'assets'), 'junction')
  writeFileSync(join(app, 'package.json'), JSON.stringify({ name, private: true, type: 'module' }))
  const packages = [archive, ...links.map((link) => tool(link))]
  const { status, output } = await run(
    'npm',
    // Scripts of packages that are linked would build them anew.
    [
      'install',
      ...['--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts', '--fetch-retries=0'],
      ...packages,
    ],
    app,
  )
  if (status !== 0 && !OFFLINE.test(output)) throw new Error(`npm install failed: ${output}`)
  return status === 0
}

export const appOf = (folder: string, name: string) => join(folder, name)
