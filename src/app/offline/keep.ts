import { FILE_LIST, type KeepMessage } from './protocol'

/** Runtimes of ONNX in a build, by what is in their names. A device needs one. */
const RUNTIMES = ['.jspi', '.asyncify', ''] as const

/** The files of a build that this device needs to play without a connection. */
export function filesToKeep(files: readonly string[], backend: string, hasJspi: boolean): string[] {
  const runtime = backend !== 'webgpu' ? '' : hasJspi ? '.jspi' : '.asyncify'
  return files.filter((file) => {
    if (file.endsWith('.wasm.gz')) {
      const found = RUNTIMES.find((name) => file.includes(`threaded${name}`))
      return found === runtime
    }
    // The browsers that can run the page all read woff2.
    return !file.endsWith('.woff') && !file.endsWith('.map')
  })
}

/**
 * Keeps the page for a visit without a connection. Costs nothing now: the files are in the browser's HTTP cache already.
 * Does nothing where there is no service worker (an insecure origin, a private window) or no list (the dev server).
 */
export async function keepPage(backend: string): Promise<void> {
  if (!('serviceWorker' in navigator) || !import.meta.env.PROD) return
  const list = await fetch(FILE_LIST)
  if (!list.ok) return
  const files = filesToKeep((await list.json()) as string[], backend, 'Suspending' in WebAssembly)
  await navigator.serviceWorker.register('service-worker.js', { type: 'module' })
  const { active } = await navigator.serviceWorker.ready
  active?.postMessage({ kind: 'keep', files } satisfies KeepMessage)
}
