import { noticeOf, type TellNotice } from '../notices'
import type { AssetCache } from './assets'

/**
 * Files kept by the Cache API under the world's own address. A browser that refuses (private window, no secure context,
 * no room) costs only the next download: it is told once, and the dream plays on.
 */
export function browserCache(base: string, tell: TellNotice): AssetCache {
  let opening: Promise<Cache | null> | null = null
  let told = false

  function trouble(error: unknown): void {
    if (told) return
    told = true
    const isFull = error instanceof DOMException && error.name === 'QuotaExceededError'
    tell(noticeOf(isFull ? 'CACHE_FULL' : 'CACHE_UNAVAILABLE'))
  }

  async function attempt<T>(job: (cache: Cache) => Promise<T>): Promise<T | null> {
    try {
      opening ??= Promise.resolve(globalThis.caches?.open('oneiro-worlds') ?? null)
      const cache = await opening
      if (!cache) throw new Error('no Cache API')
      return await job(cache)
    } catch (error) {
      trouble(error)
      return null
    }
  }

  const address = (key: string) => new URL(key.replace(/^\//, ''), base).href

  return {
    async get(key) {
      return attempt(async (cache) => {
        const response = await cache.match(address(key))
        try {
          return response ? new Uint8Array(await response.arrayBuffer()) : null
        } catch (error) {
          await cache.delete(address(key)) // what cannot be read would be in the way for ever
          throw error
        }
      })
    },
    async put(path, key, bytes) {
      await attempt(async (cache) => {
        const other = new URL(path, base)
        for (const request of await cache.keys(other.href, { ignoreSearch: true }))
          await cache.delete(request)
        await cache.put(address(key), new Response(bytes as Uint8Array<ArrayBuffer>))
      })
    },
    async drop(key) {
      await attempt((cache) => cache.delete(address(key)))
    },
  }
}
