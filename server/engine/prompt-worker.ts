/** The prompt encoder's thread: answers one text after another. */
import { fileURLToPath } from 'node:url'
import { answerCalls } from '../../src/model/port/answer-calls'
import type { PromptCalls } from '../../src/model/prompt/client'
import { openPromptEncoderNode } from '../../src/model/prompt/node'
import type { PromptEncoder } from '../../src/model/prompt/types'
import { threadScope } from './node-worker'

const folder = (url: string) => fileURLToPath(new URL('.', url))

answerCalls(
  threadScope(),
  (): PromptCalls => {
    let encoder: PromptEncoder | null = null
    return {
      async open({ url, world }) {
        encoder = openPromptEncoderNode({ folder: folder(url), ...(world ? { world: folder(world) } : {}) })
      },
      encode: async (text) => new Float32Array(await encoder!.encode(text)),
    }
  },
  { transfer: (value) => (value instanceof Float32Array ? [value.buffer] : []) },
)
