import type { TimeSource } from '../clock'

interface Sleeper {
  readonly wakeAtMs: number
  readonly wake: () => void
}

/** Time that moves only when a test says so. */
export class FakeTime implements TimeSource {
  private nowMs = 0
  private readonly sleepers = new Set<Sleeper>()

  now(): number {
    return this.nowMs
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted) return resolve()
      const wake = () => {
        this.sleepers.delete(sleeper)
        signal?.removeEventListener('abort', wake)
        resolve()
      }
      const sleeper = { wakeAtMs: this.nowMs + ms, wake }
      this.sleepers.add(sleeper)
      signal?.addEventListener('abort', wake)
    })
  }

  /** Moves on by `ms`, waking every sleeper at its moment and letting what it started run until it sleeps again. */
  async run(ms: number): Promise<void> {
    const endMs = this.nowMs + ms
    await settle()
    for (;;) {
      const next = [...this.sleepers].sort((a, b) => a.wakeAtMs - b.wakeAtMs)[0]
      if (!next || next.wakeAtMs > endMs) break
      this.nowMs = next.wakeAtMs
      next.wake()
      await settle()
    }
    this.nowMs = endMs
  }
}

/** Lets every promise that can settle do so. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
