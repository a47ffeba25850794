import type { Action } from '../../engine/controls'
import { type OneiroError, WorldClosedError } from '../../engine/errors'
import type {
  Pixels,
  Prompt,
  PromptReceipt,
  ResetOptions,
  Snapshot,
  Telemetry,
  Tick,
  World,
  WorldInfo,
} from '../../engine/world'
import type { Manifest } from '../assets/manifest'
import type { TellProgress } from '../assets/world-files'
import type { Fit } from '../backends/backend'
import type { DreamEvent, DreamListener } from '../dream/dream-events'
import {
  BackendStalledError,
  fromWire,
  OpeningStalledError,
  type WireError,
  WorkerFailedError,
} from '../errors'
import { RequestPort, type WorkerLike } from '../port/request-port'
import type { EncoderProgress } from '../prompt'
import type { HostMessage, Opened, OpenOptions, WorkerCalls, WorkerStats } from './protocol'

export interface DreamClientOptions {
  readonly open: OpenOptions
  readonly createWorker: () => WorkerLike
  readonly onProgress?: TellProgress
  readonly onPromptProgress?: (progress: EncoderProgress) => void
  readonly onEvent?: DreamListener
  /** Seconds without a sign of life after which the worker is started anew. Default 20. */
  readonly stallSeconds?: number
}

export interface ClientStats extends WorkerStats {
  /** Workers that stalled or died and were replaced. */
  readonly restarts: number
}

const MAX_RESTARTS = 3
/** A worker may say nothing for so much longer while it loads, and where its GPU is slow or has just been replaced. */
const PATIENCE = 6

type Port = RequestPort<WorkerCalls, HostMessage>

/** The dream in its worker, as the page sees it: a `World`, a canvas to draw on, and events. */
export class DreamClient implements World {
  private current: Opened
  private port: Promise<Port>
  private readonly listeners = new Set<DreamListener>()
  private checkpoint: Snapshot | null = null
  private restarts = 0
  /** Added to the worker's epochs, so that they keep growing over a restart. */
  private epochBase = 0
  private lastEpoch = 0
  private closing: Promise<void> | null = null

  private constructor(
    private readonly options: DreamClientOptions,
    private open: OpenOptions,
    opened: Opened,
    relay: Relay,
    port: Port,
  ) {
    this.current = opened
    this.port = Promise.resolve(port)
    if (options.onEvent) this.listeners.add(options.onEvent)
    relay.to = this
  }

  /** Starts the worker, loads the world and picks the number of threads. Rejects with what went wrong. */
  static async open(options: DreamClientOptions, moreThreads: number): Promise<DreamClient> {
    const first = start(options, options.open)
    const opened = await first.opened
    const budgetMs = 1000 / opened.info.ticksPerSecond
    const single = { ...first, open: options.open, opened }
    const best =
      moreThreads > 1 && opened.info.backend === 'wasm' && opened.tickMs > 0.7 * budgetMs
        ? await faster(options, single, moreThreads)
        : single
    return new DreamClient(options, best.open, best.opened, best.relay, best.port).ready()
  }

  get info(): WorldInfo {
    return this.current.info
  }

  get manifest(): Manifest {
    return this.current.manifest
  }

  /** Listens to events; returns the function that stops it. */
  on(listener: DreamListener): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  async reset(options: ResetOptions): Promise<Tick> {
    return this.seen(await this.call('reset', [options]))
  }

  async step(action: Action): Promise<Tick> {
    return this.seen(await this.call('step', [action]))
  }

  setPrompt(prompt: Prompt | string): Promise<PromptReceipt> {
    return this.call('setPrompt', [prompt])
  }

  snapshot(): Promise<Snapshot> {
    return this.call('snapshot', [])
  }

  async restore(snapshot: Snapshot): Promise<Tick> {
    return this.seen(await this.call('restore', [snapshot]))
  }

  readPixels(): Promise<Pixels> {
    return this.call('readPixels', [])
  }

  readTelemetry(): Promise<Telemetry | null> {
    return this.call('readTelemetry', [])
  }

  /**
   * WebGPU only: hands a canvas over and draws every frame on it from now on. Width and height are in device pixels and
   * default to the canvas's own. Throws `BadInputError` on WASM, where every tick carries its pixels.
   */
  attachCanvas(
    canvas: OffscreenCanvas,
    { width = canvas.width, height = canvas.height, fit = 'cover' as Fit } = {},
  ): Promise<void> {
    return this.call('attachCanvas', [canvas, width, height, fit], [canvas])
  }

  /** Device pixels. Draws the newest frame again. */
  resizeCanvas(width: number, height: number, fit: Fit = 'cover'): Promise<void> {
    return this.call('resizeCanvas', [width, height, fit])
  }

  async stats(): Promise<ClientStats> {
    return { ...(await this.call('stats', [])), restarts: this.restarts }
  }

  /** WebGPU only, for tests: the device is lost as if the driver had been reset. */
  loseDevice(): Promise<void> {
    return this.call('loseDevice', [])
  }

  close(): Promise<void> {
    this.closing ??= this.shutDown()
    return this.closing
  }

  private async shutDown(): Promise<void> {
    const port = await this.port.catch(() => null)
    // What was called before is still answered; a worker that cannot is stopped all the same.
    await port?.call('close', []).catch(() => {})
    port?.end(new WorldClosedError('close'))
  }

  private ready(): this {
    this.options.onProgress?.({ phase: 'ready', loaded: 1, total: 1 })
    return this
  }

  private async call<Name extends keyof WorkerCalls>(
    name: Name,
    args: Parameters<WorkerCalls[Name]>,
    transfer: Transferable[] = [],
  ): Promise<Awaited<ReturnType<WorkerCalls[Name]>>> {
    if (this.closing) throw new WorldClosedError(name)
    // While a worker is being replaced, calls wait for the new one.
    const port = await this.port
    return port.call(name, args, transfer)
  }

  private seen(tick: Tick): Tick {
    const epoch = this.epochBase + tick.epoch
    this.lastEpoch = Math.max(this.lastEpoch, epoch)
    return { ...tick, epoch }
  }

  /** From the worker: everything that is no answer. */
  heard(message: HostMessage): void {
    if (message.kind === 'checkpoint') this.checkpoint = message.snapshot
    else if (message.kind === 'event') this.emit(revived(message.event))
  }

  private emit(event: DreamEvent): void {
    if (event.type === 'backend') this.current = { ...this.current, info: event.info }
    for (const listener of this.listeners) listener(event)
  }

  /** The worker stalled or died: another one, from the last checkpoint. */
  gone(error: OneiroError): void {
    if (this.closing) return
    this.port = this.restart(error)
    this.port.catch(() => {})
  }

  private async restart(cause: OneiroError): Promise<Port> {
    this.emit({ type: 'stalled', message: cause.message })
    this.restarts++
    try {
      if (this.restarts > MAX_RESTARTS) throw cause
      const before = this.info.backend
      // The canvas went down with the worker, and a GPU that hangs a worker would do so again.
      if (before === 'webgpu') this.open = { ...this.open, backend: 'wasm' }
      const { port, relay, opened } = start(this.options, this.open)
      this.current = await opened
      this.epochBase = this.lastEpoch
      const tick = this.checkpoint ? this.seen(await port.call('restore', [this.checkpoint])).index : 0
      if (this.info.backend !== before) {
        const message = `The dream is now computed by ${this.info.backend}.`
        this.emit({ type: 'backend', info: this.info, message })
      }
      this.emit({ type: 'recovered', tick, message: `Play goes on at tick ${tick}.` })
      relay.to = this
      return port
    } catch (reason) {
      const error = reason as OneiroError
      this.emit({ type: 'failed', error, message: error.message })
      throw error
    }
  }
}

interface Started {
  readonly open: OpenOptions
  readonly opened: Opened
  readonly relay: Relay
  readonly port: Port
}

/**
 * Tries more threads in a second worker and keeps the faster one. Asked only where one thread cannot hold the rate with
 * room to spare: threads that wait take the cores from the page.
 */
async function faster(options: DreamClientOptions, single: Started, threads: number): Promise<Started> {
  const open = { ...options.open, threads }
  const { port, relay, opened: opening } = start(options, open)
  // On a machine that is busy, threads wait for each other without end: the trial must not hold up play.
  const late = new Promise<null>((resolve) => setTimeout(resolve, TRIAL_MS, null))
  const opened = await Promise.race([opening.catch(() => null), late])
  if (!opened || opened.tickMs > 0.9 * single.opened.tickMs) {
    port.end(new WorkerFailedError('it was stopped'))
    return single
  }
  single.port.end(new WorkerFailedError('it was stopped'))
  return { open, opened, relay, port }
}

const TRIAL_MS = 4000

/** Carries a worker's words to whoever owns it: to the options while it opens, then to the client. */
interface Relay {
  to: Pick<DreamClient, 'heard' | 'gone'> | null
}

function start(options: DreamClientOptions, open: OpenOptions) {
  const relay: Relay = { to: null }
  const { stallSeconds = 20 } = options
  let patient = true
  let slowGpu = false
  const port: Port = new RequestPort({
    worker: options.createWorker(),
    watchdog: {
      seconds: () => stallSeconds * (patient || slowGpu ? PATIENCE : 1),
      stalled: (name, seconds) =>
        name === 'open' ? new OpeningStalledError(seconds) : new BackendStalledError(name, seconds),
    },
    onEvent: (message) => {
      // A new device compiles its graphs without a word: that is no stall.
      if (message.kind === 'event') patient = isRecovering(message.event, patient)
      if (message.kind === 'progress') options.onProgress?.(message.progress)
      else if (message.kind === 'prompt-progress') options.onPromptProgress?.(message.progress)
      else if (relay.to) relay.to.heard(message)
      else if (message.kind === 'event') options.onEvent?.(revived(message.event))
    },
    onGone: (error) => relay.to?.gone(error),
  })
  const opened = port.call('open', [open]).then(
    (opened) => {
      patient = false
      slowGpu = opened.slowGpu
      return opened
    },
    (error) => {
      port.end(error)
      throw error
    },
  )
  // Whoever started this hears of a failure through `opened`; without anyone it must not be an unhandled one.
  opened.catch(() => {})
  return { port, relay, opened }
}

function isRecovering({ type }: DreamEvent, before: boolean): boolean {
  if (type === 'device-lost') return true
  return type === 'recovered' || type === 'failed' ? false : before
}

function revived(event: DreamEvent): DreamEvent {
  return event.type === 'failed' ? { ...event, error: fromWire(event.error as WireError) } : event
}
