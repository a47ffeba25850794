/** The prompt encoder's thread: answers one text after another. */
import { fileURLToPath } from 'node:url'
import { parentPort } from 'node:worker_threads'
import { toWire } from '../../src/model/errors'
import { openPromptEncoderNode } from '../../src/model/prompt/node'
import type { FromWorker, ToWorker } from '../../src/model/prompt/protocol'
import type { PromptEncoder } from '../../src/model/prompt/types'

const port = parentPort!
let encoder: PromptEncoder | null = null

port.on('message', (message: ToWorker) => {
  if (message.kind === 'encode') void answer(message.id, message.text)
  else {
    const folder = (url: string) => fileURLToPath(new URL('.', url))
    const { url, world } = message
    encoder = openPromptEncoderNode({ folder: folder(url), ...(world ? { world: folder(world) } : {}) })
  }
})

async function answer(id: number, text: string): Promise<void> {
  try {
    const embedding = new Float32Array(await encoder!.encode(text))
    port.postMessage({ kind: 'embedding', id, embedding } satisfies FromWorker, [embedding.buffer])
  } catch (error) {
    port.postMessage({ kind: 'failed', id, ...toWire(error) } satisfies FromWorker)
  }
}
