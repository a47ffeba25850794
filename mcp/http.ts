/** The protocol over HTTP, on this machine alone: whoever may connect may open worlds. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ReadableStream } from 'node:stream/web'
import {
  createMcpHandler,
  localhostAllowedHostnames,
  localhostAllowedOrigins,
  validateHostHeader,
  validateOriginHeader,
} from '@modelcontextprotocol/server'
import { worldServer } from './server'
import type { Worlds } from './worlds'

/** A call's arguments are some words. */
const MOST_BYTES = 64 * 1024

/** Listens on loopback; port 0 takes any that is free. Rejects with Node's own `EADDRINUSE` where it is taken. */
export async function serveHttp(
  worlds: Worlds,
  port: number,
): Promise<{ url: string; close(): Promise<void> }> {
  const handler = createMcpHandler(() => worldServer(worlds))
  const server = createServer((request, response) => {
    answer(handler.fetch, request, response).catch(() => response.destroy())
  })
  await listening(server, port)
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}/mcp`,
    async close() {
      await handler.close()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function answer(
  ask: (request: Request) => Promise<Response>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { host, origin } = request.headers
  // A name that a stranger points here, or a page of another site, is none of this machine.
  const named = validateHostHeader(host, localhostAllowedHostnames())
  const asked = validateOriginHeader(origin, localhostAllowedOrigins())
  if (!named.ok || !asked.ok) return end(response, 403)
  if (request.url !== '/mcp') return end(response, 404)
  const body = await bodyOf(request)
  if (body === null) return end(response, 413)
  const headers = new Headers()
  for (const [name, value] of Object.entries(request.headers)) {
    for (const one of [value ?? []].flat()) headers.append(name, one)
  }
  const { method = 'GET' } = request
  const whole = method === 'GET' || method === 'HEAD' ? {} : { body }
  const answered = await ask(new Request(`http://${host}/mcp`, { method, headers, ...whole }))
  response.writeHead(answered.status, Object.fromEntries(answered.headers))
  if (!answered.body) response.end()
  else await pipeline(Readable.fromWeb(answered.body as ReadableStream), response)
}

/** Null where it is too long. */
async function bodyOf(request: IncomingMessage): Promise<Buffer<ArrayBuffer> | null> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of request) {
    size += part.length
    if (size > MOST_BYTES) return null
    parts.push(part)
  }
  return Buffer.concat(parts)
}

function end(response: ServerResponse, status: number): void {
  response.writeHead(status, { connection: 'close' }).end()
}

function listening(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, 'localhost', resolve)
  })
}
