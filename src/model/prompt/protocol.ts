import type { RuntimeAddresses } from '../backends/runtimes'
import type { Notice } from '../notices'
import type { EncoderProgress } from './types'

/** What the page says to the encoder's worker. `open` comes first, once. */
export type ToWorker =
  | {
      readonly kind: 'open'
      readonly url: string
      readonly world?: string
      readonly runtimes: RuntimeAddresses
    }
  | { readonly kind: 'encode'; readonly id: number; readonly text: string }

/** What the worker says to the page; each `encode` is answered once, by `embedding` or `failed`. */
export type FromWorker =
  | { readonly kind: 'embedding'; readonly id: number; readonly embedding: Float32Array<ArrayBuffer> }
  | { readonly kind: 'failed'; readonly id: number; readonly code: string; readonly message: string }
  | { readonly kind: 'progress'; readonly progress: EncoderProgress }
  | { readonly kind: 'notice'; readonly notice: Notice }
