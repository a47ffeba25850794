import { chromium } from 'playwright'
import { chromiumFlags, ensureChromium } from '../e2e/chromium'
import type { BenchRun } from '../e2e/harness/main'
import { startHarness } from '../e2e/harness/server'
import type { BenchOptions } from './node'

/** The same in headless Chromium, on a page of the built runtime: a tick there is what the page waits for. */
export async function benchWasm(options: Omit<BenchOptions, 'onTick'>): Promise<BenchRun> {
  const { world, threads, ticks, warmUp } = options
  const server = await startHarness({ bench: world })
  const browser = await chromium.launch({
    executablePath: await ensureChromium(),
    args: [...chromiumFlags.wasm],
  })
  try {
    const page = await browser.newPage()
    await page.goto(server.url)
    return await page.evaluate(
      ([threads, ticks, warmUp]) => window.harness.bench('worlds/bench/', threads, ticks, warmUp),
      [threads, ticks, warmUp] as const,
    )
  } finally {
    await browser.close()
    await server.close()
  }
}
