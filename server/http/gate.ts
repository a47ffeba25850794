import type { IncomingMessage } from 'node:http'
import { isIP, isIPv6 } from 'node:net'
import { BadInputError } from '../../src/engine/errors'

/** How a server is reached. */
export interface Reach {
  /** What it listens on. */
  readonly host: string
  /** Further names that it goes by. */
  readonly hosts?: readonly string[]
  /** Origins of pages that may connect, beside its own. */
  readonly origins?: readonly string[]
  /** Where clients and other workers' clients reach it. Left out, `ws://HOST:PORT`. */
  readonly publicUrl?: string
}

export interface GateOptions {
  /** Names that the server goes by, as `hostName` writes them. Those of loopback are among them where it listens there. */
  readonly hosts: readonly string[]
  /** Origins of pages that may connect, beside the server's own. */
  readonly origins: readonly string[]
  /** Whether the server listens on loopback only; then pages from there may connect. */
  readonly loopback: boolean
  /** Whether it listens on every address; then it goes by each of them. */
  readonly anywhere: boolean
}

const LOOPBACK = ['localhost', '127.0.0.1', '[::1]']
const ANYWHERE = ['0.0.0.0', '[::]']

/** What the gate goes by. Throws `BadInputError` where a name or an origin is none. */
export function gateOf({ host, hosts = [], origins = [], publicUrl }: Reach): GateOptions {
  const names = [host, ...hosts, ...(publicUrl ? [new URL(publicUrl).hostname] : [])].map(checkedName)
  const loopback = isLoopback(host)
  const anywhere = isAnywhere(host)
  return {
    hosts: [...names, ...(loopback || anywhere ? LOOPBACK : [])],
    origins: origins.map(checkedOrigin),
    ...{ loopback, anywhere },
  }
}

/** True for an address that only this machine can reach. */
export function isLoopback(host: string): boolean {
  const name = hostName(host)
  return name === 'localhost' || name === '[::1]' || (name !== null && /^127(\.\d{1,3}){3}$/.test(name))
}

/** True for an address that stands for all of this machine's, and that nobody can connect to. */
export function isAnywhere(host: string): boolean {
  return ANYWHERE.includes(hostName(host) ?? '')
}

/** A name or an address as it stands in a URL, in small letters and without a port; null where it is none. */
export function hostName(name: string): string | null {
  // The zone of an IPv6 address says something to this machine only.
  const address = name.replace(/%.*$/, '')
  if (isIPv6(address)) return nameOf(`http://[${address}]`)
  return /[/\\?#@]/.test(name) ? null : nameOf(`http://${name}`)
}

/**
 * Why a request must not become a websocket, or null where it may. A page of a stranger is known by its Origin, and a
 * name of a stranger that was pointed at this server by its Host. What is not a browser sends no Origin.
 */
export function whyRefused(headers: IncomingMessage['headers'], options: GateOptions): string | null {
  const host = nameOf(`http://${headers.host ?? ''}`)
  if (host === null || !(options.hosts.includes(host) || (options.anywhere && isAddress(host)))) {
    return 'BAD_HOST'
  }
  const { origin } = headers
  if (origin === undefined || options.origins.includes(origin)) return null
  const from = nameOf(origin)
  if (from !== null && options.loopback && LOOPBACK.includes(from)) return null
  return hostOf(origin) === headers.host?.toLowerCase() ? null : 'BAD_ORIGIN'
}

/** True for numbers. Only names can be pointed elsewhere by a stranger, so who says an address means this server. */
function isAddress(host: string): boolean {
  return isIP(host.replace(/^\[|\]$/g, '')) !== 0
}

function checkedName(name: string): string {
  const checked = hostName(name)
  if (checked !== null) return checked
  throw new BadInputError(
    `The server goes by a name or an address such as dreams.example, but "${name}" came. Pass it alone, without ws:// and path.`,
  )
}

/** As a browser sends it. Those of apps, such as app://oneiro, are sent as they are. */
function checkedOrigin(text: string): string {
  if (!URL.canParse(text)) {
    throw new BadInputError(`An origin such as https://example.org was expected, but "${text}" came.`)
  }
  const { origin } = new URL(text)
  return origin === 'null' ? text : origin
}

/** The name of an address without its port; null where it is none. */
function nameOf(url: string): string | null {
  return URL.canParse(url) ? new URL(url).hostname : null
}

function hostOf(url: string): string | null {
  return URL.canParse(url) ? new URL(url).host : null
}
