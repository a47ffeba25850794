/** Path of a Chromium or Chrome: the one ONEIRO_CHROMIUM names, else one on the PATH, else Playwright's own, else null. */
export function findChromium(): Promise<string | null>
/** Finds a Chromium or installs one. */
export function ensureChromium(): Promise<string>
