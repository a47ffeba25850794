import { OneiroError } from '../engine/errors'

/** What a button on the failure card does. */
export type FailureAction = 'retry' | 'simulator' | 'wasm' | 'dismiss'

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
  MANIFEST: {
    title: 'This dream speaks another version',
    sentence:
      'Its manifest is not one that this page can read. Reload to get the newest page, or use matching files.',
  },
  OFFLINE: {
    title: 'You are offline',
    sentence:
      'The dream was never kept on this device, and the network cannot be reached. Try again once you are connected.',
  },
  NO_WEBGPU: {
    title: 'No WebGPU here',
    sentence: 'This browser gives the page no graphics compute. The dream also runs on the processor.',
  },
  DEVICE_LOST: {
    title: 'The graphics device was lost',
    sentence:
      'The browser took the graphics device away and it did not come back. Try again, or drive the simulator.',
  },
  NO_WEBGL: {
    title: 'No picture',
    sentence:
      'This browser gives the page no WebGL, which it needs to show anything. Turn on hardware acceleration and reload.',
  },
}

/** Errors of the model that mean the same to a person. */
const SAME: Readonly<Record<string, string>> = {
  ASSET_ALTERED: 'ASSET_CORRUPT',
  ASSET_TRUNCATED: 'ASSET_CORRUPT',
  ASSET_INTEGRITY: 'ASSET_CORRUPT',
  MANIFEST_INVALID: 'MANIFEST',
  MANIFEST_VERSION: 'MANIFEST',
}

export function codeOf(error: unknown): string {
  if (error instanceof OneiroError) return error.code
  if (typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string')
    return error.code
  return 'UNKNOWN'
}

export function sentenceOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** True where the error says that the graphics device went away, so that opening the world anew may help. */
export function isDeviceLost(error: unknown): boolean {
  return codeOf(error) === 'DEVICE_LOST'
}

/** The words and buttons for an error that keeps the dream from playing. `canSimulate`: the simulator may stand in. */
export function failureFrom(error: unknown, canSimulate: boolean): Failure {
  const code = codeOf(error)
  const words = WORDS[SAME[code] ?? code] ?? {
    title: 'The dream would not begin',
    sentence: 'Something unexpected came up. Try again, or drive the simulator meanwhile.',
  }
  const actions = canSimulate ? [RETRY, SIMULATOR] : [RETRY]
  return { code, ...words, detail: sentenceOf(error), actions }
}
