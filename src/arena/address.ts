import { type BackendChoice, parseSeed } from '../app/params'
import { worldAddress } from '../model/assets/address'

/** The student that ships, beside which another is to be put. */
export const DEFAULT_STUDENT = 'assets/drive/'
const DEFAULT_SECONDS = 5
const MOST_SECONDS = 60
const BACKENDS: readonly BackendChoice[] = ['auto', 'wasm', 'webgpu']

export interface Address {
  /** Folders of the two students, absolute, with a slash at the end, or manifests in one; null where none is given. */
  readonly a: string
  readonly b: string | null
  /** Decides every round; null where chance should choose. */
  readonly seed: number | null
  /** How long each round's drives are. */
  readonly seconds: number
  readonly backend: BackendChoice
  /** Sentences on what was not understood. */
  readonly notices: readonly string[]
}

/**
 * Reads `?a=URL&b=URL&seed=7&seconds=5&backend=auto|wasm|webgpu`. Folders are relative to the site, not to this page, as
 * `?assets=` of the main page is. Never throws.
 */
export function readAddress(search: string, site: string): Address {
  const query = new URLSearchParams(search)
  const notices: string[] = []
  const folder = (name: string): string | null => {
    const text = query.get(name)?.trim()
    if (!text) return null
    const url = folderUrl(text, site)
    if (!url)
      notices.push(
        `The address gives ${name}=${text}, which is no folder. Give for example ${name}=assets/drive/.`,
      )
    return url
  }
  const seedText = query.get('seed')
  const seed = seedText === null ? null : parseSeed(seedText)
  if (seedText !== null && seed === null) {
    notices.push(
      `The address asks for seed=${seedText}, but a seed is a whole number from 0 up. Taking one by chance.`,
    )
  }
  const secondsText = query.get('seconds')
  let seconds = secondsText === null ? DEFAULT_SECONDS : Number(secondsText)
  if (!(seconds > 0 && seconds <= MOST_SECONDS)) {
    notices.push(
      `The address asks for seconds=${secondsText}, but a round lasts up to ${MOST_SECONDS} seconds. Taking ${DEFAULT_SECONDS}.`,
    )
    seconds = DEFAULT_SECONDS
  }
  const backendText = query.get('backend') ?? 'auto'
  const backend = BACKENDS.find((one) => one === backendText)
  if (!backend) {
    notices.push(
      `The address asks for backend=${backendText}, but backend is one of ${BACKENDS.join(', ')}. Taking auto.`,
    )
  }
  return {
    a: folder('a') ?? new URL(DEFAULT_STUDENT, site).href,
    b: folder('b'),
    seed,
    seconds,
    backend: backend ?? 'auto',
    notices,
  }
}

function folderUrl(text: string, site: string): string | null {
  if (!URL.canParse(text, site)) return null
  const url = new URL(text, site)
  url.pathname = worldAddress(url.pathname)
  return url.href
}

/** Names for two folders, as short as tells them apart. */
export function namesOf(a: string, b: string): readonly [string, string] {
  const parts = [a, b].map((href) => {
    const { host, pathname } = new URL(href)
    return [host, ...pathname.split('/').filter(Boolean)]
  }) as [string[], string[]]
  const longest = Math.max(parts[0].length, parts[1].length)
  for (let count = 1; count < longest; count++) {
    const [first, second] = parts.map((list) => list.slice(-count).join('/')) as [string, string]
    if (first !== second) return [first, second]
  }
  return [parts[0].join('/'), parts[1].join('/')]
}
