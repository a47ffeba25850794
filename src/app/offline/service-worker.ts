/// <reference lib="webworker" />
/**
 * Keeps the page itself (not the worlds, which the model keeps) so that it opens without a connection. Pages come from the
 * network first and from the copy where there is none; the build's files carry a hash in their name and never change.
 * All of it is isolated on the way (COOP and COEP), as a static host cannot, and WASM needs that for its threads.
 */
import type { KeepMessage } from './protocol'

const worker = self as unknown as ServiceWorkerGlobalScope
const CACHE = 'oneiro-page'
/** How long the network may take to begin an answer, milliseconds. */
const PATIENCE_MS = 4000
const root = new URL('./', worker.location.href).href

worker.addEventListener('install', () => void worker.skipWaiting())

worker.addEventListener('message', (event) => {
  const message = event.data as KeepMessage
  if (message?.kind === 'keep') event.waitUntil(keep(message.files).catch(() => {}))
})

worker.addEventListener('fetch', (event) => {
  const { request } = event
  if (request.method !== 'GET') return
  if (request.mode === 'navigate') {
    const isRoot = request.url.split(/[?#]/)[0] === root
    event.respondWith((isRoot ? newest(request) : fetch(request)).then(isolated))
  } else if (request.url.startsWith(`${root}app/`)) {
    event.respondWith(kept(request).then(isolated))
  }
})

/**
 * Takes what the present build consists of, and forgets what earlier ones did once no other tab may need it. The page itself
 * comes last: a copy that was only half taken must not be one that cannot start.
 */
async function keep(files: readonly string[]): Promise<void> {
  const cache = await caches.open(CACHE)
  const wanted = files.map((file) => new URL(file, root).href)
  for (const url of wanted) {
    if (await cache.match(url)) continue
    let response = await fetch(url, { cache: 'force-cache' })
    // The browser may have kept a bad answer.
    if (!response.ok) response = await fetch(url, { cache: 'reload' })
    if (!response.ok) return
    await cache.put(url, response)
  }
  const page = await fetch(root, { cache: 'no-cache' })
  if (!page.ok) return
  await cache.put(root, page)
  const tabs = await worker.clients.matchAll({ type: 'window', includeUncontrolled: true })
  if (tabs.length > 1) return
  const kept = new Set([root, ...wanted])
  for (const { url } of await cache.keys()) if (!kept.has(url)) await cache.delete(url)
}

/** The newest page, or the copy where the network does not answer in time or answers with a fault of its own. */
async function newest(request: Request): Promise<Response> {
  const copy = await caches.match(root)
  if (!copy) return fetch(request)
  try {
    const page = await Promise.race([fetch(request), late()])
    return page.status >= 500 ? copy : page
  } catch {
    return copy
  }
}

function late(): Promise<never> {
  return new Promise((_, reject) => setTimeout(reject, PATIENCE_MS, new Error('The network did not answer.')))
}

async function kept(request: Request): Promise<Response> {
  // A part that is tried again has a query behind its name, and is the same file.
  return (await caches.match(request.url, { ignoreSearch: true })) ?? fetch(request)
}

/** The same answer, isolated. Where a redirect is the browser's to follow it stays as it is. */
function isolated(response: Response): Response {
  if (response.status === 0) return response
  const { status, statusText, body } = response
  const headers = new Headers(response.headers)
  headers.set('Cross-Origin-Opener-Policy', 'same-origin')
  headers.set('Cross-Origin-Embedder-Policy', 'require-corp')
  return new Response(body, { status, statusText, headers })
}
