import type { IncomingMessage } from 'node:http'

export interface GateOptions {
  /** Names that the server goes by, without ports. Loopback names are always among them where it listens there. */
  readonly hosts: readonly string[]
  /** Origins of pages that may connect, beside the server's own. */
  readonly origins: readonly string[]
  /** Whether the server listens on loopback only; then pages from there may connect. */
  readonly loopback: boolean
}

const LOOPBACK = ['localhost', '127.0.0.1', '[::1]']

/** True for an address that only this machine can reach. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
}

/**
 * Why a request must not become a websocket, or null where it may. A page of a stranger is known by its Origin, and a
 * name of a stranger that was pointed at this server by its Host. What is not a browser sends no Origin.
 */
export function whyRefused(headers: IncomingMessage['headers'], options: GateOptions): string | null {
  const host = nameOf(`http://${headers.host ?? ''}`)
  const hosts = [...options.hosts, ...(options.loopback ? LOOPBACK : [])]
  if (host === null || !hosts.includes(host)) return 'BAD_HOST'
  const { origin } = headers
  if (origin === undefined || options.origins.includes(origin)) return null
  const from = nameOf(origin)
  if (from !== null && options.loopback && LOOPBACK.includes(from)) return null
  return hostOf(origin) === headers.host?.toLowerCase() ? null : 'BAD_ORIGIN'
}

/** The name of an address without its port; null where it is none. */
function nameOf(url: string): string | null {
  return URL.canParse(url) ? new URL(url).hostname : null
}

function hostOf(url: string): string | null {
  return URL.canParse(url) ? new URL(url).host : null
}
