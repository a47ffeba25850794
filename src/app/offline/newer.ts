import { OneiroError } from '../../engine/errors'
import { lazily } from '../../engine/lazily'
import { codeOf } from '../failures'

/** A newer build lies where this page came from, and parts of this one are gone. */
export class NewerPageError extends OneiroError {
  constructor(options?: { cause?: unknown }) {
    super(
      'NEWER_PAGE',
      'A newer page was put in the place of this one, and a part of the old one is gone. Load the page again.',
      options,
    )
  }
}

/** A part of the page did not arrive. */
export class PagePartError extends OneiroError {
  constructor(options?: { cause?: unknown }) {
    super('PAGE_PART', 'A part of the page did not arrive. Check the connection, then try again.', options)
  }
}

/** How long the server is asked which build it has, milliseconds. */
const ASK_MS = 4000
/** What a failure looks like where the code itself did not load: a worker's script, or a chunk inside a worker. */
const OF_CODE: ReadonlySet<string> = new Set(['WORKER_FAILED', 'UNEXPECTED', 'PROMPT_ENCODER', 'BACKEND'])

/** Whether the build that this code is of is no longer the one on the server. False where nobody can say. */
export async function isOutdated(own = import.meta.url): Promise<boolean> {
  if (!import.meta.env.PROD) return false
  try {
    // Both lie in the folder of the build's own files.
    const list = await fetch(new URL('files.json', own), {
      cache: 'no-store',
      signal: AbortSignal.timeout(ASK_MS),
    })
    if (!list.ok) return false
    const files = (await list.json()) as string[]
    return !files.some((file) => new URL(own).pathname.endsWith(`/${file}`))
  } catch {
    return false
  }
}

/** Loads a part of the page. Throws `NewerPageError` where a newer build is why it is gone, else `PagePartError`. */
export async function loadPart<Part>(load: () => Promise<Part>): Promise<Part> {
  try {
    return await lazily(load)
  } catch (cause) {
    throw (await isOutdated()) ? new NewerPageError({ cause }) : new PagePartError({ cause })
  }
}

/** The error itself, or `NewerPageError` where the code of a worker did not load because a newer build is there. */
export async function explained(error: unknown): Promise<unknown> {
  return OF_CODE.has(codeOf(error)) && (await isOutdated()) ? new NewerPageError({ cause: error }) : error
}
