/// <reference lib="webworker" />
import { OneiroError } from '../../engine/errors'
import { once } from '../../engine/lazily'
import { fetchedFolder } from '../assets/assets'
import { browserCache } from '../assets/browser-cache'
import { useRuntimes, wasmOrt } from '../backends/runtimes'
import type { TellNotice } from '../notices'
import { createPromptEncoder } from './encoder'
import { reason } from './errors'
import type { FromWorker, ToWorker } from './protocol'
import type { PromptEncoder } from './types'

const scope = self as unknown as DedicatedWorkerGlobalScope
let encoder: (() => Promise<PromptEncoder>) | null = null

scope.onmessage = ({ data }: MessageEvent<ToWorker>) => {
  if (data.kind === 'open') {
    const folder = new URL('.', data.url).href
    const onNotice: TellNotice = (notice) => post({ kind: 'notice', notice })
    const world = data.world === undefined ? undefined : new URL('.', data.world).href
    useRuntimes(data.runtimes)
    encoder = once(async () =>
      createPromptEncoder({
        // A runtime of its own, so that typing never holds up a tick. A sentence is too little work for a second thread to pay.
        ort: await wasmOrt(1),
        source: fetchedFolder(folder),
        cache: browserCache(folder, onNotice),
        manifest: data.url.slice(folder.length),
        ...(world ? { world: { source: fetchedFolder(world), cache: browserCache(world, onNotice) } } : {}),
        onProgress: (progress) => post({ kind: 'progress', progress }),
        onNotice,
      }),
    )
  } else {
    void answer(data.id, data.text)
  }
}

async function answer(id: number, text: string): Promise<void> {
  try {
    const embedding = new Float32Array(await (await encoder!()).encode(text))
    post({ kind: 'embedding', id, embedding }, [embedding.buffer])
  } catch (error) {
    const code = error instanceof OneiroError ? error.code : 'PROMPT_ENCODER'
    post({ kind: 'failed', id, code, message: reason(error) })
  }
}

function post(message: FromWorker, transfer: Transferable[] = []): void {
  scope.postMessage(message, transfer)
}
