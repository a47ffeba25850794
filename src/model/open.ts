import { worldAddress } from './assets/address'
import type { TellProgress } from './assets/world-files'
import { runtimeAddresses } from './backends/runtimes'
import type { DreamListener } from './dream/dream-events'
import type { EncoderProgress } from './prompt'
import { DreamClient } from './worker/worker-client'

export type { Manifest } from './assets/manifest'
export type { LoadProgress } from './assets/world-files'
export type { Fit } from './backends/backend'
export type { DreamEvent, DreamListener } from './dream/dream-events'
export type { Notice, NoticeCode } from './notices'
export type { ClientStats, DreamClient } from './worker/worker-client'

export interface OpenDreamOptions {
  /** The world's folder; `world.json` lies in it. Or the address of another manifest in a world's folder. */
  readonly url: string | URL
  /** `auto` takes a real GPU where there is one, else WASM. `webgpu` also takes a software adapter. Default `auto`. */
  readonly backend?: 'auto' | 'webgpu' | 'wasm'
  /** WASM threads. Left out, 1, or more where a trial at load shows that 1 is too slow and more are faster. */
  readonly threads?: number
  /** The sentence encoder's `encoder.json`. Default: `prompt-encoder/encoder.json` beside the world's folder. */
  readonly promptEncoderUrl?: string | URL
  readonly onProgress?: TellProgress
  /** Told while the sentence encoder loads, at the first words that are no preset. */
  readonly onPromptProgress?: (progress: EncoderProgress) => void
  readonly onEvent?: DreamListener
}

/**
 * Opens a dream in a worker of its own. Rejects with a named error whose message is a sentence for the user.
 *
 * @example
 * const dream = await openDream({ url: 'assets/drive/', onEvent: ({ message }) => toast(message) })
 * await dream.reset({ seed: 7 })
 * const tick = await dream.step(spaceOf(dream.info.controls).idle)
 */
export function openDream(options: OpenDreamOptions): Promise<DreamClient> {
  const { backend = 'auto', threads, onProgress, onPromptProgress, onEvent } = options
  // Relative to the page: the worker's own address is another.
  const url = new URL(worldAddress(`${options.url}`), document.baseURI)
  const encoder = new URL(options.promptEncoderUrl ?? '../prompt-encoder/encoder.json', url)
  return DreamClient.open(
    {
      open: {
        ...{ url: url.href, backend, threads: threads ?? 1 },
        ...{ promptEncoderUrl: encoder.href, runtimes: runtimeAddresses() },
      },
      createWorker: () =>
        new Worker(new URL('../dream-worker.ts', import.meta.url), { type: 'module', name: 'dream' }),
      onProgress,
      onPromptProgress,
      onEvent,
    },
    threads === undefined ? moreThreads() : 1,
  )
}

/** How many threads are worth a trial here: half of the cores, as the page and the browser need the others. */
function moreThreads(): number {
  if (!globalThis.crossOriginIsolated) return 1
  return Math.min(4, Math.floor(navigator.hardwareConcurrency / 2))
}
