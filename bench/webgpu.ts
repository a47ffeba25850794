import { chromium } from 'playwright'
import { chromiumFlags, ensureChromium } from '../e2e/chromium'
import type { GpuRun } from '../e2e/harness/main'
import { startHarness } from '../e2e/harness/server'
import type { BenchOptions } from './node'

/** WebGPU in headless Chromium, on the machine's own GPU or, if `software`, on SwiftShader. */
export async function benchWebGpu(
  { world, ticks, warmUp }: Pick<BenchOptions, 'world' | 'ticks' | 'warmUp'>,
  software: boolean,
): Promise<GpuRun> {
  const server = await startHarness({ bench: world })
  const browser = await chromium.launch({
    executablePath: await ensureChromium(),
    args: [...chromiumFlags[software ? 'webgpu-software' : 'webgpu']],
  })
  try {
    const page = await browser.newPage()
    await page.goto(server.url)
    return await page.evaluate(([ticks, warmUp]) => window.harness.benchGpu('worlds/bench/', ticks, warmUp), [
      ticks,
      warmUp,
    ] as const)
  } finally {
    await browser.close()
    await server.close()
  }
}
