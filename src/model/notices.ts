/** Something works less well than it could; play goes on. */
export interface Notice {
  readonly code: NoticeCode
  /** A sentence for the user. */
  readonly message: string
}

export type TellNotice = (notice: Notice) => void

const SENTENCES = {
  CACHE_FULL: 'The browser has no room left to keep the world, so it is loaded again on every visit.',
  CACHE_UNAVAILABLE:
    'This browser does not let the page keep files, so the world is loaded again on every visit.',
  OFFLINE: 'There is no connection; the world plays from the copy kept on the last visit.',
  UNCHECKED: 'The page was not opened over https, so the files of the world could not be checked for damage.',
  NO_WEBGPU: 'No graphics card can be reached through WebGPU, so the dream is computed on the processor.',
  WEBGPU_FAILED: 'The dream could not be computed on the graphics card, so it is computed on the processor.',
  UNCAPTURED: 'The graphics card cannot replay a recorded tick, so every tick costs a little more.',
  NO_DECODER: 'This device cannot decode the world, so the server sends finished pictures.',
  PROMPT_CUT: 'The prompt is too long; its end was not read.',
} as const

export type NoticeCode = keyof typeof SENTENCES

/** The notice of a code; `detail` is added in brackets. */
export function noticeOf(code: NoticeCode, detail?: string): Notice {
  return { code, message: detail ? `${SENTENCES[code]} (${detail})` : SENTENCES[code] }
}
