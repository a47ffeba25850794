/** From the page to its service worker: the files of this build that are worth keeping, relative to the page. */
export interface KeepMessage {
  readonly kind: 'keep'
  readonly files: readonly string[]
}

/** Where a build lists the files that it consists of, relative to the page. */
export const FILE_LIST = 'app/files.json'
