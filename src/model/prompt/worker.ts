/// <reference lib="webworker" />
import { once } from '../../engine/lazily'
import { fetchedFolder } from '../assets/assets'
import { browserCache } from '../assets/browser-cache'
import { useRuntimes, wasmOrt } from '../backends/runtimes'
import type { TellNotice } from '../notices'
import { answerCalls } from '../port/answer-calls'
import type { PromptCalls, PromptMessage } from './client'
import { createPromptEncoder } from './encoder'
import type { PromptEncoder } from './types'

answerCalls<PromptMessage>(
  self as unknown as DedicatedWorkerGlobalScope,
  (tell): PromptCalls => {
    let encoder: (() => Promise<PromptEncoder>) | null = null
    const onNotice: TellNotice = (notice) => tell({ kind: 'notice', notice })
    return {
      async open({ url, runtimes, ...told }) {
        const folder = new URL('.', url).href
        const world = told.world === undefined ? undefined : new URL('.', told.world).href
        useRuntimes(runtimes)
        encoder = once(async () =>
          createPromptEncoder({
            // A runtime of its own, so that typing never holds up a tick. A sentence is too little work for a second thread to pay.
            ort: await wasmOrt(1),
            source: fetchedFolder(folder),
            cache: browserCache(folder, onNotice),
            manifest: url.slice(folder.length),
            ...(world
              ? { world: { source: fetchedFolder(world), cache: browserCache(world, onNotice) } }
              : {}),
            onProgress: (progress) => tell({ kind: 'progress', progress }),
            onNotice,
          }),
        )
      },
      encode: async (text) => new Float32Array(await (await encoder!()).encode(text)),
    }
  },
  { transfer: (value) => (value instanceof Float32Array ? [value.buffer] : []) },
)
