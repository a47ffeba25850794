import type { StageChoice } from '../scene/stage'

/** What the page shows: the dream, the simulator it is judged against, or both under the same keys. */
export type View = 'dream' | 'simulator' | 'both'
export const VIEWS: readonly View[] = ['dream', 'simulator', 'both']

export type BackendChoice = 'auto' | 'wasm' | 'webgpu'
const BACKENDS: readonly BackendChoice[] = ['auto', 'wasm', 'webgpu']
const STAGES: readonly StageChoice[] = ['auto', 'webgl', 'flat']

export interface Params {
  readonly view: View
  readonly backend: BackendChoice
  readonly clock: 'lockstep' | 'realtime'
  readonly seed: number | null
  readonly prompt: string | null
  readonly start: string | null
  /** Folder of the world's files, absolute, with a slash at the end. */
  readonly assets: string
  readonly hud: boolean
  readonly stage: StageChoice
  /** The car keeps going by itself until the first throttle or brake key. */
  readonly cruise: boolean
}

/** A value in the address that is not understood; the default is taken and the page says so. */
export interface ParamNotice {
  readonly name: string
  readonly sentence: string
}

/** The largest seed the page offers; any non-negative safe integer works in the address. */
export const SEED_RANGE = 1_000_000

/**
 * Reads `?world=dream|simulator|both&backend=auto|wasm|webgpu&clock=realtime|lockstep&seed=&prompt=&start=&assets=&hud=&cruise=&stage=auto|webgl|flat`.
 * Never throws: what is not understood falls back and is reported in `notices`.
 */
export function readParams(
  search: string,
  defaultAssets: string,
  base: string,
): { params: Params; notices: ParamNotice[] } {
  const query = new URLSearchParams(search)
  const notices: ParamNotice[] = []
  const oneOf = <T extends string>(name: string, allowed: readonly T[], fallback: T): T => {
    const value = query.get(name)
    if (value === null) return fallback
    if ((allowed as readonly string[]).includes(value)) return value as T
    notices.push({
      name,
      sentence: `The address asks for ${name}=${value}, but ${name} is one of ${allowed.join(', ')}. Taking ${fallback}.`,
    })
    return fallback
  }
  let seed: number | null = null
  const seedText = query.get('seed')
  if (seedText !== null) {
    seed = parseSeed(seedText)
    if (seed === null) {
      notices.push({
        name: 'seed',
        sentence: `The address asks for seed=${seedText}, but a seed is a whole number from 0 up. Taking a seed by chance.`,
      })
    }
  }
  const clock = oneOf('clock', ['realtime', 'lockstep'] as const, 'realtime')
  return {
    params: {
      view: oneOf('world', VIEWS, 'dream'),
      backend: oneOf('backend', BACKENDS, 'auto'),
      clock,
      seed,
      prompt: query.get('prompt')?.trim() || null,
      start: query.get('start') || null,
      assets: folderUrl(query.get('assets') ?? defaultAssets, base),
      hud: query.get('hud') === '1',
      stage: oneOf('stage', STAGES, 'auto'),
      cruise: query.get('cruise') !== '0' && clock === 'realtime',
    },
    notices,
  }
}

/** A seed as typed: a non-negative safe integer, or null where it is none. */
export function parseSeed(text: string): number | null {
  const trimmed = text.trim()
  if (!/^\d+$/.test(trimmed)) return null
  const value = Number(trimmed)
  return Number.isSafeInteger(value) ? value : null
}

function folderUrl(path: string, base: string): string {
  const url = new URL(path, base)
  if (!url.pathname.endsWith('/')) url.pathname += '/'
  return url.href
}

/** An address that begins the same drive elsewhere. Keeps what the present address says about backend and assets. */
export function shareUrl(
  here: string,
  drive: { view: View; seed: number; prompt: string; start: string | null },
): string {
  const url = new URL(here)
  url.searchParams.set('world', drive.view)
  url.searchParams.set('seed', String(drive.seed))
  url.searchParams.set('prompt', drive.prompt)
  if (drive.start) url.searchParams.set('start', drive.start)
  else url.searchParams.delete('start')
  return url.href
}
