import { OneiroError } from '../engine/errors'

/** What a button on the failure card does. */
export type FailureAction = 'retry' | 'simulator' | 'wasm' | 'device' | 'reload'

/** Something a person must be told: a title, one sentence on what happened and what to do, and buttons. */
export interface Failure {
  readonly code: string
  readonly title: string
  readonly sentence: string
  readonly detail?: string
  readonly actions: readonly { readonly action: FailureAction; readonly label: string }[]
}

interface Words {
  readonly title: string
  readonly sentence: string
}

const RETRY = { action: 'retry', label: 'Try again' } as const
const WASM = { action: 'wasm', label: 'Use the processor' } as const
const DEVICE = { action: 'device', label: 'Dream on this device' } as const
const RELOAD = { action: 'reload', label: 'Load the page again' } as const
const SIMULATOR = { action: 'simulator', label: 'Drive the simulator' } as const

/** By the `code` of the error. */
const WORDS: Readonly<Record<string, Words>> = {
  ASSET_MISSING: {
    title: 'The dream is not here',
    sentence:
      'A file of this dream is missing on the server. Check the address, or drive the simulator meanwhile.',
  },
  ASSET_CORRUPT: {
    title: 'The dream arrived damaged',
    sentence: 'A file of this dream is cut short or altered, so it was not run. Try again to fetch it anew.',
  },
  ASSET_UNREACHABLE: {
    title: 'The dream cannot be reached',
    sentence: 'The network is away, and this device keeps no copy yet. Try again once you are connected.',
  },
  MANIFEST_VERSION: {
    title: 'This dream is of another version',
    sentence: 'This page cannot read it. Reload to get the newest page, or use files that fit.',
  },
  MANIFEST_INVALID: {
    title: 'This dream cannot be read',
    sentence: 'Its description does not make sense to this page. Use files that were exported for it.',
  },
  WEBGPU_UNAVAILABLE: {
    title: 'No WebGPU here',
    sentence: 'This browser gives the page no graphics compute. The dream also runs on the processor.',
  },
  SELF_TEST: {
    title: 'The numbers do not add up',
    sentence:
      'The first frame came out other than it must, so this way of computing was not trusted. Try the processor.',
  },
  DEVICE_LOST: {
    title: 'The graphics device was lost',
    sentence: 'The browser took it away and it did not come back. Try again, or use the processor.',
  },
  BACKEND: {
    title: 'The dream stopped',
    sentence: 'Its network could not be run here. Try again, or use the processor.',
  },
  OPENING_STALLED: {
    title: 'The dream does not wake',
    sentence: 'It stopped answering while it loaded. Try again, or use the processor.',
  },
  CONNECTION_LOST: {
    title: 'The server cannot be reached',
    sentence: 'Nothing answers at its address. Check it, or dream on this device.',
  },
  INSECURE_SERVER: {
    title: 'The server is not encrypted',
    sentence:
      'This page is, and browsers let it reach encrypted servers only. Give a wss:// address, or dream on this device.',
  },
  UNAUTHORIZED: {
    title: 'The server wants another token',
    sentence: 'It lets in only who knows its token. Give the right one, or dream on this device.',
  },
  SERVER_FULL: {
    title: 'The server is full',
    sentence: 'All its seats are taken, and its line is full. Try again later, or dream on this device.',
  },
  NEWER_PAGE: {
    title: 'There is a newer page',
    sentence: 'It was put in the place of this one while this tab was open. Load it to go on.',
  },
  PAGE_PART: {
    title: 'A part of the page is missing',
    sentence: 'It did not arrive, though it was asked for several times. Check the connection and try again.',
  },
  GRAPHICS_LOST: {
    title: 'The graphics were taken away',
    sentence:
      'The browser gives the simulator nothing to draw with any more. Close other tabs and load the page again.',
  },
  WORKER_FAILED: {
    title: 'The dream stopped',
    sentence: 'The part of the page that dreams went away. Try again.',
  },
}
/** Where computing on the processor instead is likely to help. */
const WASM_HELPS: ReadonlySet<string> = new Set([
  'WEBGPU_UNAVAILABLE',
  'SELF_TEST',
  'DEVICE_LOST',
  'BACKEND',
  'OPENING_STALLED',
])

/** Where nothing of this page can help. */
const RELOADING: ReadonlySet<string> = new Set(['NEWER_PAGE', 'GRAPHICS_LOST'])

export function codeOf(error: unknown): string {
  if (error instanceof OneiroError) return error.code
  if (typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string')
    return error.code
  return 'UNKNOWN'
}

export function sentenceOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/**
 * The words and buttons for an error that keeps the dream from playing. `canSimulate`: the simulator may stand in;
 * `onServer`: this device could dream instead.
 */
export function failureFrom(error: unknown, canSimulate: boolean, onServer = false): Failure {
  const code = codeOf(error)
  const words = WORDS[code] ?? {
    title: 'The dream would not begin',
    sentence: 'Something unexpected came up. Try again, or drive the simulator meanwhile.',
  }
  if (RELOADING.has(code)) return { code, ...words, detail: sentenceOf(error), actions: [RELOAD] }
  const actions = [
    ...(onServer ? [DEVICE] : canSimulate && WASM_HELPS.has(code) ? [WASM] : []),
    RETRY,
    ...(canSimulate ? [SIMULATOR] : []),
  ]
  return { code, ...words, detail: sentenceOf(error), actions }
}
