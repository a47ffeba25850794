import { createReadStream } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join, normalize, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'vite'

const root = fileURLToPath(new URL('../../', import.meta.url))
const built = join(root, '.cache/harness')

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.wasm': 'application/wasm',
  '.json': 'application/json',
}

/** How a file of a world is broken: gone, cut, one bit turned, or world.json of version 2. */
export type Fault = 'missing' | 'truncated' | 'altered' | 'version'

export interface HarnessServer {
  readonly url: string
  /** Files that are broken now, by path below the server, for example `worlds/tiny/student.onnx`. */
  readonly faults: Map<string, Fault>
  /** Paths asked for since the start. */
  readonly asked: string[]
  close(): Promise<void>
}

/**
 * Builds the harness page and serves it, cross-origin isolated, with the folders of `worlds` below `/worlds/<name>/`.
 */
export async function startHarness(worlds: Record<string, string>): Promise<HarnessServer> {
  await build({
    configFile: false,
    root: fileURLToPath(new URL('.', import.meta.url)),
    base: './',
    logLevel: 'warn',
    worker: { format: 'es' },
    build: { target: 'es2022', outDir: built, emptyOutDir: true, chunkSizeWarningLimit: 2000 },
  })
  const faults = new Map<string, Fault>()
  const asked: string[] = []
  const server = createServer((request, response) => {
    const path = normalize(new URL(request.url!, 'http://x').pathname).replace(/^\/+/, '') || 'index.html'
    asked.push(path)
    answer(fileOf(path, worlds), faults.get(path), response).catch(() => response.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve))
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}/`,
    faults,
    asked,
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function fileOf(path: string, worlds: Record<string, string>): string {
  const [first, name, ...rest] = path.split('/')
  if (first === 'worlds' && name && worlds[name]) return resolve(root, worlds[name], ...rest)
  return join(built, path)
}

async function answer(file: string, fault: Fault | undefined, response: ServerResponse): Promise<void> {
  const found = await stat(file).catch(() => null)
  const headers = {
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Embedder-Policy': 'require-corp',
    'Content-Type': TYPES[extname(file)] ?? 'application/octet-stream',
  }
  if (!found?.isFile() || fault === 'missing') {
    response.writeHead(404, headers).end('not found')
  } else if (fault) {
    response.writeHead(200, headers).end(broken(await readFile(file), fault))
  } else {
    response.writeHead(200, { ...headers, 'Content-Length': found.size })
    createReadStream(file).pipe(response)
  }
}

function broken(bytes: Buffer, fault: Fault): Buffer {
  if (fault === 'truncated') return bytes.subarray(0, bytes.length - 100)
  if (fault === 'version') return Buffer.from(bytes.toString().replace('"version": 1', '"version": 2'))
  const altered = Buffer.from(bytes)
  altered[altered.length >> 1]! ^= 1
  return altered
}
