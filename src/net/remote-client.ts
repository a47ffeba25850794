import { proxy, type Remote, releaseProxy, wrap } from 'comlink'
import type { Action } from '../engine/action'
import { WorldClosedError } from '../engine/errors'
import type { Past } from '../engine/timeline'
import type {
  Pixels,
  Prompt,
  ResetOptions,
  Snapshot,
  Telemetry,
  Tick,
  World,
  WorldInfo,
} from '../engine/world'
import { fromWire } from '../model/errors'
import type { Manifest } from '../model/manifest'
import type { Mode } from './messages'
import type {
  Outcome,
  RemoteHost,
  RemoteHostEvent,
  RemoteHostOptions,
  RemoteOpened,
  Stepped,
} from './remote-host'
import type { RemoteStats } from './remote-options'

export interface RemoteClientOptions extends RemoteHostOptions {
  readonly onEvent?: (event: RemoteHostEvent) => void
  readonly createWorker?: () => Worker
}

/** A `RemoteWorld` in a worker of its own, as the page sees it. It plays in real time until `setMode('lockstep')`. */
export class RemoteClient implements World, Past {
  private newest: Stepped | null = null
  private current: Mode = 'realtime'
  private closing: Promise<void> | null = null
  private lost = false

  private constructor(
    private readonly worker: Worker,
    private readonly host: Remote<RemoteHost>,
    private readonly opened: RemoteOpened,
  ) {}

  /** Connects, and waits for a seat where the server is full. Rejects with what went wrong. */
  static async open({
    onEvent,
    createWorker = newWorker,
    ...options
  }: RemoteClientOptions): Promise<RemoteClient> {
    const worker = createWorker()
    const host = wrap<RemoteHost>(worker)
    try {
      const opened = unwrapped(await host.open(options, proxy(onEvent ?? (() => {}))))
      return new RemoteClient(worker, host, opened)
    } catch (error) {
      worker.terminate()
      throw error
    }
  }

  get info(): WorldInfo {
    return this.opened.info
  }

  /** Of the world that this device knows; null where it has none. */
  get manifest(): Manifest | null {
    return this.opened.manifest
  }

  /** The drive is lost for good; known before the call that met it rejects. */
  get gone(): boolean {
    return this.lost
  }

  /** As of the newest tick; null before the first. */
  get stats(): RemoteStats | null {
    return this.newest?.stats ?? null
  }

  /** As of the newest tick. */
  get range(): Past['range'] {
    return this.newest?.range ?? null
  }

  get position(): number {
    return this.newest?.position ?? 0
  }

  reset(options: ResetOptions): Promise<Tick> {
    return this.ticked('reset', this.host.reset(options))
  }

  restore(snapshot: Snapshot): Promise<Tick> {
    return this.ticked('restore', this.host.restore(snapshot))
  }

  step(action: Action): Promise<Tick> {
    return this.ticked('step', this.host.step(action))
  }

  seek(target: number): Promise<Tick> {
    return this.ticked('seek', this.host.seek(target))
  }

  async setPrompt(prompt: Prompt | string): Promise<void> {
    return this.value('setPrompt', this.host.setPrompt(prompt))
  }

  snapshot(): Promise<Snapshot> {
    return this.value('snapshot', this.host.snapshot())
  }

  readPixels(): Promise<Pixels> {
    return this.value('readPixels', this.host.readPixels())
  }

  readTelemetry(): Promise<Telemetry | null> {
    return this.value('readTelemetry', this.host.readTelemetry())
  }

  /** Changes how time passes; nothing where it passes so already. */
  async setMode(mode: Mode): Promise<void> {
    if (mode === this.current) return
    await this.value('setMode', this.host.setMode(mode))
    this.current = mode
  }

  close(): Promise<void> {
    this.closing ??= this.end()
    return this.closing
  }

  private async end(): Promise<void> {
    await this.host.close()
    this.host[releaseProxy]()
    this.worker.terminate()
  }

  private async ticked(call: string, answer: Promise<Outcome<Stepped>>): Promise<Tick> {
    this.newest = await this.value(call, answer)
    return this.newest.tick
  }

  private async value<T>(call: string, answer: Promise<Outcome<T>>): Promise<T> {
    if (this.closing) throw new WorldClosedError(call)
    const outcome = await answer
    if ('error' in outcome && outcome.gone) this.lost = true
    return unwrapped(outcome)
  }
}

function unwrapped<T>(outcome: Outcome<T>): T {
  if ('error' in outcome) throw fromWire(outcome.error)
  return outcome.value
}

function newWorker(): Worker {
  return new Worker(new URL('./remote-worker.ts', import.meta.url), { type: 'module', name: 'remote' })
}
