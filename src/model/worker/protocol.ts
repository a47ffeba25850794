import type { Action } from '../../engine/controls'
import type {
  Pixels,
  Prompt,
  PromptReceipt,
  ResetOptions,
  Snapshot,
  Telemetry,
  Tick,
  WorldInfo,
} from '../../engine/world'
import type { Manifest } from '../assets/manifest'
import type { LoadProgress } from '../assets/world-files'
import type { Fit } from '../backends/backend'
import type { RuntimeAddresses } from '../backends/runtimes'
import type { DreamEvent } from '../dream/dream-events'
import type { DreamStats } from '../dream/dream-world'
import type { WireError } from '../errors'
import type { EncoderProgress } from '../prompt'

/** What the page can ask of the worker: names, arguments and answers. */
export interface WorkerCalls {
  reset(options: ResetOptions): Promise<Tick>
  step(action: Action): Promise<Tick>
  setPrompt(prompt: Prompt | string): Promise<PromptReceipt>
  snapshot(): Promise<Snapshot>
  restore(snapshot: Snapshot): Promise<Tick>
  readPixels(): Promise<Pixels>
  readTelemetry(): Promise<Telemetry | null>
  attachCanvas(canvas: OffscreenCanvas, width: number, height: number, fit: Fit): Promise<void>
  resizeCanvas(width: number, height: number, fit: Fit): Promise<void>
  stats(): Promise<WorkerStats>
  loseDevice(): Promise<void>
  close(): Promise<void>
}

export interface WorkerStats extends DreamStats {
  readonly threads: number
}

export interface OpenMessage {
  readonly kind: 'open'
  readonly options: {
    /** Absolute address of the world's folder, ending in a slash. */
    readonly url: string
    readonly backend: 'auto' | 'webgpu' | 'wasm'
    /** WASM threads. */
    readonly threads: number
    /** Absolute address of the sentence encoder's manifest. */
    readonly promptEncoderUrl: string
    readonly runtimes: RuntimeAddresses
  }
}

export interface CallMessage {
  readonly kind: 'call'
  readonly id: number
  readonly name: keyof WorkerCalls
  readonly args: readonly unknown[]
}

export type ToWorker = OpenMessage | CallMessage

/** What a freshly opened worker says about itself. */
export interface Opened {
  readonly info: WorldInfo
  readonly manifest: Manifest
  /** Median milliseconds of a tick right after load; 0 on WebGPU. */
  readonly tickMs: number
  /** A GPU in software: right, but a tick can take seconds. */
  readonly slowGpu: boolean
}

export type FromWorker =
  | { readonly kind: 'opened'; readonly opened: Opened }
  /** The answer to `open`, and the last message. */
  | { readonly kind: 'not-opened'; readonly error: WireError }
  | { readonly kind: 'result'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'error'; readonly id: number; readonly error: WireError }
  | { readonly kind: 'progress'; readonly progress: LoadProgress }
  | { readonly kind: 'prompt-progress'; readonly progress: EncoderProgress }
  | { readonly kind: 'event'; readonly event: DreamEvent }
  | { readonly kind: 'checkpoint'; readonly snapshot: Snapshot }
  /** Nothing to report, but at work. */
  | { readonly kind: 'alive' }
