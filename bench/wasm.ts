import type { BenchRun } from '../e2e/harness/main'
import { onHarnessPage } from './harness-page'
import type { BenchOptions } from './node'

/** The same in headless Chromium, on a page of the built runtime: a tick there is what the page waits for. */
export function benchWasm(options: Omit<BenchOptions, 'onTick'>): Promise<BenchRun> {
  const { world, threads, ticks, warmUp } = options
  return onHarnessPage(world, 'wasm', (page) =>
    page.evaluate(
      ([threads, ticks, warmUp]) => window.harness.bench('worlds/bench/', threads, ticks, warmUp),
      [threads, ticks, warmUp] as const,
    ),
  )
}
