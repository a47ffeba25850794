import type { GpuRun } from '../e2e/harness/main'
import { onHarnessPage } from './harness-page'
import type { BenchOptions } from './node'

/** WebGPU in headless Chromium, on the machine's own GPU or, if `software`, on SwiftShader. */
export function benchWebGpu(
  { world, ticks, warmUp }: Pick<BenchOptions, 'world' | 'ticks' | 'warmUp'>,
  software: boolean,
): Promise<GpuRun> {
  return onHarnessPage(world, software ? 'webgpu-software' : 'webgpu', (page) =>
    page.evaluate(([ticks, warmUp]) => window.harness.benchGpu('worlds/bench/', ticks, warmUp), [
      ticks,
      warmUp,
    ] as const),
  )
}
