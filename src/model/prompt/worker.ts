/// <reference lib="webworker" />
import * as ort from 'onnxruntime-web/wasm'
import { OneiroError } from '../../engine/errors'
import { fetchedFolder } from '../assets'
import { browserCache } from '../browser-cache'
import type { TellNotice } from '../notices'
import { takePacked } from '../runtimes'
import { createPromptEncoder } from './encoder'
import { reason } from './errors'
import type { FromWorker, ToWorker } from './protocol'
import type { PromptEncoder } from './types'

// The encoder in a thread and a WASM instance of its own, so that typing never holds up a tick.
// A sentence is too little work for a second thread to pay.
ort.env.wasm.numThreads = 1

const scope = self as unknown as DedicatedWorkerGlobalScope
let encoder: PromptEncoder | null = null

scope.onmessage = ({ data }: MessageEvent<ToWorker>) => {
  if (data.kind === 'open') {
    const folder = new URL('.', data.url).href
    const onNotice: TellNotice = (notice) => post({ kind: 'notice', notice })
    const world = data.world === undefined ? undefined : new URL('.', data.world).href
    encoder = createPromptEncoder({
      ort,
      source: fetchedFolder(folder),
      cache: browserCache(folder, onNotice),
      manifest: data.url.slice(folder.length),
      ...(world ? { world: { source: fetchedFolder(world), cache: browserCache(world, onNotice) } } : {}),
      onProgress: (progress) => post({ kind: 'progress', progress }),
      onNotice,
    })
  } else {
    void answer(data.id, data.text)
  }
}

async function answer(id: number, text: string): Promise<void> {
  try {
    await takePacked(ort, 'wasm')
    const embedding = new Float32Array(await encoder!.encode(text))
    post({ kind: 'embedding', id, embedding }, [embedding.buffer])
  } catch (error) {
    const code = error instanceof OneiroError ? error.code : 'PROMPT_ENCODER'
    post({ kind: 'failed', id, code, message: reason(error) })
  }
}

function post(message: FromWorker, transfer: Transferable[] = []): void {
  scope.postMessage(message, transfer)
}
