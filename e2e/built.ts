import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'

const BUILT = fileURLToPath(new URL('../dist/', import.meta.url))
const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.css': 'text/css',
  '.wasm': 'application/wasm',
  '.json': 'application/json',
  '.woff2': 'font/woff2',
}

/**
 * What a path answers: a status, nothing at all, or (null) the file. `count`: how often it has been asked for; `again`: by an
 * address of a later try.
 */
export type Answer = (path: string, count: number, again: boolean) => number | 'silence' | string | null

export interface Site {
  /** The page's address, with a slash at the end. */
  readonly url: string
  readonly asked: string[]
  answer: Answer
  close(): Promise<void>
}

/** Serves the built page as a plain static host does: under `prefix`, with `headers`. */
export function serveBuilt(prefix = '/', headers: Record<string, string> = {}): Promise<Site> {
  return serveFolder(BUILT, prefix, headers)
}

/** The same with any folder. */
export async function serveFolder(
  folder: string,
  prefix = '/',
  headers: Record<string, string> = {},
): Promise<Site> {
  const asked: string[] = []
  const counts = new Map<string, number>()
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url!, 'http://x')
    if (!pathname.startsWith(prefix)) return void response.writeHead(404).end('not found')
    const path = normalize(pathname.slice(prefix.length)).replace(/^\.$/, '')
    asked.push(path)
    counts.set(path, (counts.get(path) ?? 0) + 1)
    const answer = site.answer(path, counts.get(path)!, searchParams.has('again'))
    if (answer === 'silence') return
    if (typeof answer === 'number') return void response.writeHead(answer).end('no')
    if (answer !== null) return void response.writeHead(200, { 'Content-Type': TYPES['.json'] }).end(answer)
    void send(join(folder, path.endsWith('/') || path === '' ? `${path}index.html` : path), headers, response)
  })
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve))
  const site: Site = {
    url: `http://localhost:${(server.address() as AddressInfo).port}${prefix}`,
    asked,
    answer: () => null,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return site
}

async function send(file: string, headers: Record<string, string>, response: ServerResponse): Promise<void> {
  const found = await stat(file).catch(() => null)
  if (!found?.isFile()) return void response.writeHead(404, headers).end('not found')
  const type = TYPES[extname(file)] ?? 'application/octet-stream'
  response.writeHead(200, { ...headers, 'Content-Type': type, 'Content-Length': found.size })
  createReadStream(file).pipe(response)
}
