// Whether the built page is that of the present sources: by what is in them, since a copy or an archive gives files any time.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export const SOURCES = [
  'src',
  'contract/drive/controls.json',
  'assets',
  'index.html',
  'arena',
  'vite.config.ts',
  'scripts/lib/parts.mjs',
  'package.json',
  'package-lock.json',
]
const MARK = 'dist/.built'

/** A hash of everything that the page is built from. @param {string} root */
export function sourceHash(root) {
  const hash = createHash('sha256')
  const add = (path) => {
    const whole = join(root, path)
    if (!existsSync(whole)) return
    if (statSync(whole).isDirectory()) {
      for (const name of readdirSync(whole).sort()) add(`${path}/${name}`)
      return
    }
    const bytes = readFileSync(whole)
    hash.update(`${path}\n${bytes.length}\n`).update(bytes)
  }
  for (const path of SOURCES) add(path)
  return hash.digest('hex')
}

/** True where a build of these sources was finished. @param {string} root @param {string} hash */
export function isBuilt(root, hash) {
  const mark = join(root, MARK)
  return existsSync(mark) && readFileSync(mark, 'utf8') === hash
}

/** Builds, and only then says so: a build that was interrupted leaves no mark. */
export async function markedBuild(root, hash, build) {
  rmSync(join(root, MARK), { force: true })
  await build()
  mkdirSync(join(root, 'dist'), { recursive: true })
  writeFileSync(join(root, MARK), hash)
}
