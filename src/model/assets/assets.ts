import { AssetCorruptError, AssetMissingError, AssetUnreachableError } from '../errors'
import { noticeOf, type TellNotice } from '../notices'
import { manifestIn } from './address'
import type { ManifestFile } from './manifest'

/** Reads a world's folder, from the network or a disk. */
export interface AssetSource {
  /** Where the folder is, for messages. */
  readonly where: string
  /** The file that says what the world is; a folder may hold more than one, that share files. Default `world.json`. */
  readonly manifest?: string
  /**
   * Bytes of a file of the folder. `onBytes` is told of the bytes that came so far; `patienceMs` is how long nothing may
   * come. Throws `AssetMissingError`, or `AssetUnreachableError` where it cannot be told whether the file is there.
   */
  read(path: string, onBytes?: (loaded: number) => void, patienceMs?: number): Promise<Uint8Array>
}

/** Keeps files between visits. Never throws: a cache that fails only costs a download. */
export interface AssetCache {
  get(key: string): Promise<Uint8Array | null>
  /** Also forgets other versions of the same path. */
  put(path: string, key: string, bytes: Uint8Array): Promise<void>
  drop(key: string): Promise<void>
}

/** No cache: Node, where the folder is on disk. */
export const NO_CACHE: AssetCache = {
  get: async () => null,
  put: async () => {},
  drop: async () => {},
}

/** How long a server may send nothing, milliseconds; and where this device keeps a copy that would do. */
const PATIENCE_MS = 30_000
const PATIENCE_WITH_COPY_MS = 4000
/** Answers of a server that is busy, and the pauses before it is asked again. */
const BUSY: ReadonlySet<number> = new Set([429, 500, 502, 503, 504])
const PAUSES = [500, 2000]

/** A world's folder over HTTP. `base` is the folder's address and ends in a slash, or that of another manifest in it. */
export function fetchedFolder(base: string): AssetSource {
  return {
    where: base,
    manifest: manifestIn(base),
    async read(path, onBytes, patienceMs = PATIENCE_MS) {
      const address = new URL(path, base).href
      const over = new AbortController()
      let timer: ReturnType<typeof setTimeout> | undefined
      const alive = () => {
        clearTimeout(timer)
        timer = setTimeout(() => over.abort(), patienceMs)
      }
      alive()
      try {
        const response = await ask(path, address, over.signal)
        alive()
        return await readBody(path, response, (loaded) => {
          alive()
          onBytes?.(loaded)
        })
      } finally {
        clearTimeout(timer)
      }
    },
  }
}

async function ask(path: string, address: string, signal: AbortSignal): Promise<Response> {
  for (let tries = 0; ; tries++) {
    let response: Response
    try {
      response = await fetch(address, { signal })
    } catch (cause) {
      throw new AssetUnreachableError(path, 'the network did not answer', { cause })
    }
    // A server of single-page apps answers an unknown path with its HTML page and status 200.
    const isPage = response.ok && response.headers.get('content-type')?.startsWith('text/html')
    if (response.status === 404 || response.status === 410 || isPage) {
      throw new AssetMissingError(path, address)
    }
    if (response.ok) return response
    if (!BUSY.has(response.status) || tries >= PAUSES.length) {
      throw new AssetUnreachableError(path, `the server answered ${response.status}`)
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSES[tries]))
  }
}

async function readBody(
  path: string,
  response: Response,
  onBytes: (loaded: number) => void,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let loaded = 0
  try {
    if (!response.body) return new Uint8Array(await response.arrayBuffer())
    const reader = response.body.getReader()
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      chunks.push(part.value)
      loaded += part.value.length
      onBytes(loaded)
    }
  } catch (cause) {
    throw new AssetUnreachableError(path, 'the connection broke off', { cause })
  }
  const bytes = new Uint8Array(loaded)
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return bytes
}

/** Lower-case hex, or null where the page is not in a secure context and so has no `crypto.subtle`. */
export async function sha256(bytes: Uint8Array): Promise<string | null> {
  if (!globalThis.crypto?.subtle) return null
  const digest = await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>)
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** Throws `AssetCorruptError` unless `bytes` are the file that the manifest describes. Length alone without a secure context. */
export async function checkFile(file: ManifestFile, bytes: Uint8Array, tell: TellNotice): Promise<void> {
  if (bytes.length !== file.bytes) {
    const how = bytes.length < file.bytes ? 'it is truncated' : 'it is too long'
    throw new AssetCorruptError(
      file.path,
      `${how}, ${file.bytes} bytes were expected, but ${bytes.length} came`,
    )
  }
  const hash = await sha256(bytes)
  if (hash === null) tell(noticeOf('UNCHECKED'))
  else if (hash !== file.sha256) {
    throw new AssetCorruptError(
      file.path,
      `it was altered, sha256 ${file.sha256.slice(0, 12)}… was expected, but ${hash.slice(0, 12)}… came`,
    )
  }
}

/**
 * A file that carries no hash, so that the newest counts: from the source, or where that does not answer, the copy that was
 * kept on the last visit. `parse` throws where it is no such file, which is then not kept.
 */
export async function readNewest<Parsed>(
  path: string,
  { source, cache, onNotice }: Omit<LoadFileOptions, 'onBytes'>,
  parse: (bytes: Uint8Array) => Parsed,
): Promise<Parsed> {
  const kept = await cache.get(path)
  let bytes: Uint8Array
  try {
    bytes = await source.read(path, undefined, kept ? PATIENCE_WITH_COPY_MS : PATIENCE_MS)
  } catch (error) {
    if (!kept || !(error instanceof AssetUnreachableError)) throw error
    onNotice(noticeOf('OFFLINE'))
    return parse(kept)
  }
  const parsed = parse(bytes)
  await cache.put(path, path, bytes)
  return parsed
}

export interface LoadFileOptions {
  readonly source: AssetSource
  readonly cache: AssetCache
  readonly onBytes?: (loaded: number) => void
  readonly onNotice: TellNotice
}

/** A file of the manifest, from the cache where it is whole, else from the source; checked, and then kept. */
export async function loadFile(file: ManifestFile, options: LoadFileOptions): Promise<Uint8Array> {
  const { source, cache, onBytes, onNotice } = options
  // The hash in the key makes every version a file of its own: a new export can never meet an old cached half.
  const key = `${new URL(file.path, 'https://world/').pathname}?sha256=${file.sha256}`
  const kept = await cache.get(key)
  if (kept) {
    try {
      await checkFile(file, kept, onNotice)
      onBytes?.(kept.length)
      return kept
    } catch {
      await cache.drop(key)
    }
  }
  const bytes = await source.read(file.path, onBytes)
  await checkFile(file, bytes, onNotice)
  await cache.put(file.path, key, bytes)
  return bytes
}
