/** The bare runtime in a page, for tests and the bench: no interface, only `window.harness`. */
import { type Action, spaceOf } from '../../src/engine/controls'
import { hashPixels } from '../../src/engine/frame-hash'
import { openWorld, play } from '../../src/index'
import type { DreamClient, DreamEvent, OpenDreamOptions } from '../../src/model/open'

export interface Opened {
  readonly dream: DreamClient
  readonly events: DreamEvent[]
  readonly phases: string[]
}

/** Milliseconds of every measured tick, of the bare runs beside it, and of its stages. */
export interface BenchRun {
  readonly tickMs: number[]
  readonly bareMs: number[]
  readonly stages: Record<string, number[]>
  readonly modelHash: string
}

/** The same on a GPU. */
export interface GpuRun {
  readonly adapter: string
  /** A GPU in software, whose speed says nothing. */
  readonly software: boolean
  readonly tickMs: number[]
  readonly queuedMs: number
  readonly modelHash: string
}

/** Lets threads that spin after a run go to sleep, so that one does not slow the other. */
const pause = () => new Promise((resolve) => setTimeout(resolve, 5))

const harness = {
  openWorld,
  playOn: play,
  hashPixels,

  /** Opens a world and keeps what it tells. */
  async open({ url, ...options }: OpenDreamOptions): Promise<Opened> {
    const events: DreamEvent[] = []
    const phases: string[] = []
    const dream = await openWorld(new URL(url, document.baseURI), {
      ...options,
      onEvent: (event) => events.push(event),
      onProgress: ({ phase }) => {
        if (phases.at(-1) !== phase) phases.push(phase)
      },
    })
    return { dream, events, phases }
  },

  /** The action that tests hold at tick `i`: every one comes up. */
  action({ info }: DreamClient, i: number): Action {
    const space = spaceOf(info.controls)
    return space.action((i * 5 + 3) % space.size)
  },

  /** Plays and gives the frame of every tick as a list of hashes. */
  async play(dream: DreamClient, from: number, ticks: number): Promise<string[]> {
    const hashes: string[] = []
    for (let i = from; i < from + ticks; i++) {
      const { frame } = await dream.step(harness.action(dream, i))
      hashes.push(hashPixels(frame ?? (await dream.readPixels())))
    }
    return hashes
  },

  /**
   * Times `ticks` ticks as the page sees them (worker, messages and all), each beside bare runs of the same sessions with
   * the same number of threads in a worker of their own.
   */
  async bench(url: string, threads: number, ticks: number, warmUp: number): Promise<BenchRun> {
    const { dream } = await harness.open({ url, backend: 'wasm', threads })
    const bare = new Worker(new URL('./bare-worker.ts', import.meta.url), { type: 'module' })
    const ask = (message: unknown) =>
      new Promise<number>((resolve, reject) => {
        bare.onmessage = ({ data }) => resolve(data)
        bare.onerror = ({ message }) => reject(new Error(message))
        bare.postMessage(message)
      })
    await ask({ url: new URL(url, document.baseURI).href, threads })
    await dream.reset({ seed: 1_000_000 })
    const tickMs: number[] = []
    const bareMs: number[] = []
    const stages: Record<string, number[]> = {}
    for (let i = 0; i < warmUp + ticks; i++) {
      await pause()
      const bareRun = await ask('run')
      await pause()
      const started = performance.now()
      const tick = await dream.step(harness.action(dream, i))
      const tickRun = performance.now() - started
      if (i < warmUp) continue
      bareMs.push(bareRun)
      tickMs.push(tickRun)
      for (const [stage, ms] of Object.entries(tick.timings)) {
        stages[stage] ??= []
        stages[stage].push(ms)
      }
    }
    const { modelHash } = dream.info
    await dream.close()
    bare.terminate()
    return { tickMs, bareMs, stages, modelHash }
  },

  /**
   * Times ticks on WebGPU: each until its frame was read back, as a step by itself only queues work; and then all of them
   * queued one after the other, which is how the page plays.
   */
  async benchGpu(url: string, ticks: number, warmUp: number): Promise<GpuRun> {
    const { dream } = await harness.open({ url, backend: 'webgpu' })
    const adapter = (await navigator.gpu.requestAdapter({ powerPreference: 'high-performance' }))!
    const { vendor, architecture, description, isFallbackAdapter } = adapter.info
    await dream.reset({ seed: 1_000_000 })
    const tickMs: number[] = []
    for (let i = 0; i < warmUp + ticks; i++) {
      const started = performance.now()
      await dream.step(harness.action(dream, i))
      await dream.readPixels()
      if (i >= warmUp) tickMs.push(performance.now() - started)
    }
    const started = performance.now()
    for (let i = 0; i < ticks; i++) await dream.step(harness.action(dream, i))
    await dream.readPixels()
    const queuedMs = (performance.now() - started) / ticks
    const { modelHash } = dream.info
    await dream.close()
    const name = [vendor, architecture, description].filter(Boolean).join(', ')
    return { adapter: name, software: isFallbackAdapter, tickMs, queuedMs, modelHash }
  },

  /** Hands the page's canvas to the dream. */
  attach(dream: DreamClient): Promise<void> {
    const canvas = document.querySelector('canvas')!
    return dream.attachCanvas(canvas.transferControlToOffscreen())
  },
}

export type Harness = typeof harness
declare global {
  interface Window {
    harness: Harness
  }
}
window.harness = harness
