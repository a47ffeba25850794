import { chromium, type Page } from 'playwright'
import { chromiumFlags, ensureChromium } from '../e2e/chromium'
import { startHarness } from '../e2e/harness/server'

/** Does `job` in headless Chromium, on a page of the built runtime that has the world at `worlds/bench/`. */
export async function onHarnessPage<T>(
  world: string,
  flags: keyof typeof chromiumFlags,
  job: (page: Page) => Promise<T>,
): Promise<T> {
  const server = await startHarness({ bench: world })
  const browser = await chromium.launch({
    executablePath: await ensureChromium(),
    args: [...chromiumFlags[flags]],
  })
  try {
    const page = await browser.newPage()
    await page.goto(server.url)
    return await job(page)
  } finally {
    await browser.close()
    await server.close()
  }
}
