// Where the project lies, and where the user is.
import { existsSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { root, SetupError } from './run.mjs'

/** Throws a SetupError in a folder that Vite takes for an address with a query or a fragment. */
export function checkPlace(place = root) {
  const odd = place.match(/[#?]/)?.[0]
  if (!odd) return
  throw new SetupError(
    `Oneiro lies in a folder with "${odd}" in its path, which its build tool cannot read: ${place}. Rename or move the folder and run this again.`,
  )
}

/** A path as the user typed it, from the folder where they typed it: npm runs commands in the project's own. */
export function fromUser(path) {
  return resolve(process.env.INIT_CWD ?? process.cwd(), path)
}

/** Why a path that should be a file is none, as a sentence; null where it is one. */
export function whyNoFile(path, what) {
  if (!existsSync(path)) return `There is no file ${path}. Give the path of ${what}.`
  if (statSync(path).isDirectory()) return `${path} is a folder. Give the path of ${what}.`
  return null
}
