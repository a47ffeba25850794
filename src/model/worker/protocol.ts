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
import type { EncoderProgress } from '../prompt'

/** What the page can ask of the worker: names, arguments and answers. */
export interface WorkerCalls {
  /** The first of all. */
  open(options: OpenOptions): Promise<Opened>
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

export interface OpenOptions {
  /** Absolute address of the world's folder, ending in a slash. */
  readonly url: string
  readonly backend: 'auto' | 'webgpu' | 'wasm'
  /** WASM threads. */
  readonly threads: number
  /** Absolute address of the sentence encoder's manifest. */
  readonly promptEncoderUrl: string
  readonly runtimes: RuntimeAddresses
}

/** What a freshly opened worker says about itself. */
export interface Opened {
  readonly info: WorldInfo
  readonly manifest: Manifest
  /** Median milliseconds of a tick right after load; 0 on WebGPU. */
  readonly tickMs: number
  /** A GPU in software: right, but a tick can take seconds. */
  readonly slowGpu: boolean
}

/** What the worker says by itself. An error in it crosses as a `WireError`. */
export type HostMessage =
  | { readonly kind: 'progress'; readonly progress: LoadProgress }
  | { readonly kind: 'prompt-progress'; readonly progress: EncoderProgress }
  | { readonly kind: 'event'; readonly event: DreamEvent }
  | { readonly kind: 'checkpoint'; readonly snapshot: Snapshot }
  /** Nothing to report, but at work. */
  | { readonly kind: 'alive' }
