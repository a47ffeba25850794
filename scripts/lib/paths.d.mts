/** A path as the user typed it, from the folder where they typed it. */
export function fromUser(path: string): string
/** Why a path that should be a file is none, as a sentence; null where it is one. */
export function whyNoFile(path: string, what: string): string | null
