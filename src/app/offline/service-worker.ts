/// <reference lib="webworker" />
/**
 * Keeps the page itself (not the worlds, which the model keeps) so that it opens without a connection. Pages come from the
 * network first and from the copy where there is none; the build's files carry a hash in their name and never change.
 */
import type { KeepMessage } from './protocol'

const worker = self as unknown as ServiceWorkerGlobalScope
const CACHE = 'oneiro-page'
const root = new URL('./', worker.location.href).href

worker.addEventListener('install', () => void worker.skipWaiting())

worker.addEventListener('message', (event) => {
  const message = event.data as KeepMessage
  if (message?.kind === 'keep') event.waitUntil(keep(message.files).catch(() => {}))
})

worker.addEventListener('fetch', (event) => {
  const { request } = event
  if (request.method !== 'GET') return
  if (request.mode === 'navigate' && new URL(request.url).href.split('?')[0] === root) {
    event.respondWith(newest(request))
  } else if (request.url.startsWith(`${root}app/`)) {
    event.respondWith(kept(request))
  }
})

/** Takes what the present build consists of and forgets what earlier ones did. */
async function keep(files: readonly string[]): Promise<void> {
  const cache = await caches.open(CACHE)
  const wanted = new Set([root, ...files.map((file) => new URL(file, root).href)])
  for (const { url } of await cache.keys()) if (!wanted.has(url)) await cache.delete(url)
  for (const url of wanted) {
    if (url !== root && (await cache.match(url))) continue
    const response = await fetch(url, { cache: url === root ? 'no-cache' : 'force-cache' })
    if (response.ok) await cache.put(url, response)
  }
}

async function newest(request: Request): Promise<Response> {
  try {
    return await fetch(request)
  } catch (error) {
    const copy = await caches.match(root)
    if (copy) return copy
    throw error
  }
}

async function kept(request: Request): Promise<Response> {
  return (await caches.match(request.url)) ?? fetch(request)
}
