import { OneiroError } from '../engine/errors'
import { seedOfDay } from '../engine/run'
import { worldAddress } from '../model/assets/address'
import type { StageChoice } from '../scene/stage'
import type { Choices } from './ui/choices'

/** What the page shows: the dream, the simulator it is judged against, or both under the same keys. */
export type View = 'dream' | 'simulator' | 'both'
export const VIEWS: readonly View[] = ['dream', 'simulator', 'both']

/** Where the dream is computed. */
export type Place = 'device' | 'server'
export const PLACES: readonly Place[] = ['device', 'server']

export type BackendChoice = 'auto' | 'wasm' | 'webgpu'
const BACKENDS: readonly BackendChoice[] = ['auto', 'wasm', 'webgpu']
const STAGES: readonly StageChoice[] = ['auto', 'webgl', 'flat']

export interface Params extends Choices {
  readonly view: View
  readonly backend: BackendChoice
  readonly clock: 'lockstep' | 'realtime'
  readonly seed: number | null
  readonly prompt: string | null
  readonly start: string | null
  /** Folder of the world's files, absolute, with a slash at the end. */
  readonly assets: string
  /** A server to dream on from the start, `ws://` or `wss://`. */
  readonly server: string | null
  /** Opens that server, where it asks for one. */
  readonly token: string | null
  readonly hud: boolean
  readonly stage: StageChoice
  /** The world is played by itself until a person takes the wheel, where somebody knows how. */
  readonly cruise: boolean
  /** The moment that a link goes on from, packed. */
  readonly moment: string | null
  /** The day whose run is offered; null for today's. */
  readonly run: string | null
}

/** A value in the address that is not understood; the default is taken and the page says so. */
export interface ParamNotice {
  readonly name: string
  readonly sentence: string
}

/** The largest seed the page offers; any non-negative safe integer works in the address. */
export const SEED_RANGE = 1_000_000

/** A world's folder in assets/, which `?world=` may name instead of a view. */
const WORLD = /^[a-z0-9][a-z0-9-]*$/

/** The world that an address names, for example `snake`; null where it names none. */
export function namedWorld(search: string): string | null {
  const value = new URLSearchParams(search).get('world') ?? ''
  return WORLD.test(value) && !(VIEWS as readonly string[]).includes(value) ? value : null
}

/**
 * Reads `?world=dream|simulator|both|NAME&backend=auto|wasm|webgpu&clock=realtime|lockstep&seed=&prompt=&start=&assets=&server=&hud=&cruise=&assist=&bleed=&sound=&stage=auto|webgl|flat&run=2026-11-29`
 * and `#token=` and `#m=`, which browsers keep to themselves. What was chosen on an earlier visit counts where the address says nothing.
 * Never throws: what is not understood falls back and is reported in `notices`.
 */
export function readParams(
  search: string,
  defaultAssets: string,
  base: string,
  hash = '',
  chosen: Partial<Choices> = {},
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
  const onOff = (name: string, fallback: boolean): boolean =>
    oneOf(name, ['0', '1'] as const, fallback ? '1' : '0') === '1'
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
  let server: string | null = null
  const serverText = query.get('server')
  if (serverText !== null) {
    server = parseServer(serverText)
    if (server === null) {
      notices.push({
        name: 'server',
        sentence: `The address asks for server=${serverText}, but a server's address looks like ws://localhost:7700. Dreaming on this device.`,
      })
    }
  }
  const world = namedWorld(search)
  let assets = folderUrl(defaultAssets, base)
  if (world) assets = new URL(`../${world}/`, assets).href
  const assetsText = query.get('assets')
  if (assetsText !== null) {
    if (URL.canParse(assetsText, base)) assets = folderUrl(assetsText, base)
    else {
      notices.push({
        name: 'assets',
        sentence: `The address asks for assets=${assetsText}, but that is no address of a folder. Taking the world that ships.`,
      })
    }
  }
  let run = query.get('run')
  try {
    if (run !== null) seedOfDay(run)
  } catch (error) {
    notices.push({ name: 'run', sentence: `${(error as Error).message} Offering today's run.` })
    run = null
  }
  const fragment = new URLSearchParams(hash.replace(/^#/, ''))
  const clock = oneOf('clock', ['realtime', 'lockstep'] as const, 'realtime')
  return {
    params: {
      view: world ? 'dream' : oneOf('world', VIEWS, 'dream'),
      backend: oneOf('backend', BACKENDS, 'auto'),
      clock,
      seed,
      prompt: query.get('prompt')?.trim() || null,
      start: query.get('start') || null,
      assets,
      server,
      token: fragment.get('token'),
      moment: fragment.get('m'),
      hud: query.get('hud') === '1',
      stage: oneOf('stage', STAGES, 'auto'),
      cruise: query.get('cruise') !== '0' && clock === 'realtime',
      assist: onOff('assist', chosen.assist ?? true) && clock === 'realtime',
      bleed: onOff('bleed', chosen.bleed ?? false),
      sound: onOff('sound', chosen.sound ?? false),
      run,
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

/** Names that only this machine answers to. */
const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/

/**
 * A server's address as typed; where it says nothing else `ws://`, or `wss://` on a page that came over https, which may
 * reach other machines by nothing else. Null where it is none.
 */
export function parseServer(text: string, page = globalThis.location?.protocol): string | null {
  const trimmed = text.trim()
  const named = /^[a-z]+:\/\//i.test(trimmed)
  const host = `ws://${trimmed}`
  const open = page !== 'https:' || (URL.canParse(host) && LOOPBACK.test(new URL(host).hostname))
  const url = named ? trimmed : open ? host : `wss://${trimmed}`
  if (!trimmed || /\s/.test(trimmed) || !URL.canParse(url)) return null
  return ['ws:', 'wss:'].includes(new URL(url).protocol) ? url : null
}

/** Whether a server is the page's own host or this machine: others are asked about before they hear keys and words. */
export function isNear(server: string, host: string): boolean {
  const { hostname } = new URL(server)
  return hostname === host || LOOPBACK.test(hostname)
}

/** A page that came over https asked for a server that is not encrypted, which browsers forbid. */
export class InsecureServerError extends OneiroError {
  constructor(server: string) {
    const { host } = new URL(server)
    super(
      'INSECURE_SERVER',
      `This page came over https, so it may reach servers over wss:// only, but ${server} was asked for. Give wss://${host} if the server has a certificate, or open the page over http.`,
    )
  }
}

/** Throws `InsecureServerError` where the browser would refuse the connection. */
export function checkServer(server: string, page = globalThis.location?.protocol): void {
  const { protocol, hostname } = new URL(server)
  if (page === 'https:' && protocol === 'ws:' && !LOOPBACK.test(hostname))
    throw new InsecureServerError(server)
}

function folderUrl(path: string, base: string): string {
  const url = new URL(path, base)
  url.pathname = worldAddress(url.pathname)
  return url.href
}

/** An address that begins the same drive elsewhere. Keeps what the present address says about backend and assets. */
export function shareUrl(
  here: string,
  drive: { view: View; seed: number; prompt: string; start: string | null },
): string {
  const url = new URL(here)
  url.hash = ''
  url.searchParams.delete('run')
  if (!namedWorld(url.search)) url.searchParams.set('world', drive.view)
  url.searchParams.set('seed', String(drive.seed))
  url.searchParams.set('prompt', drive.prompt)
  if (drive.start) url.searchParams.set('start', drive.start)
  else url.searchParams.delete('start')
  return url.href
}

/** A seed nobody chose; it is shown, and decides everything after. */
export function seedOfChance(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0]! % SEED_RANGE
}
