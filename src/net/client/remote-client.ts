import type { Action } from '../../engine/controls'
import { WorldClosedError } from '../../engine/errors'
import type { Past } from '../../engine/timeline'
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
import type { Manifest } from '../../model/assets/manifest'
import { runtimeAddresses } from '../../model/backends/runtimes'
import { RequestPort } from '../../model/port/request-port'
import type { Mode } from '../protocol/messages'
import type { RemoteHost, RemoteHostEvent, RemoteHostOptions, RemoteOpened, Stepped } from './remote-host'
import type { RemoteStats } from './remote-options'

export interface RemoteClientOptions extends Omit<RemoteHostOptions, 'runtimes'> {
  readonly onEvent?: (event: RemoteHostEvent) => void
  readonly createWorker?: () => Worker
  /** Gives up while there is no seat yet: the worker ends, and its socket with it. */
  readonly signal?: AbortSignal
}

type Port = RequestPort<RemoteHost, RemoteHostEvent>
type RemoteCall = Exclude<keyof RemoteHost, 'open'>
type TickCall = 'reset' | 'restore' | 'step' | 'seek'

/** A `RemoteWorld` in a worker of its own, as the page sees it. It plays in real time until `setMode('lockstep')`. */
export class RemoteClient implements World, Past {
  private newest: Stepped | null = null
  private current: Mode = 'realtime'
  private closing: Promise<void> | null = null
  private lost = false
  /** The connection is gone, and another one is tried for. */
  private silent = false
  private awaitingSilence: (() => void)[] = []

  private constructor(
    private readonly port: Port,
    private readonly opened: RemoteOpened,
  ) {}

  /** Connects, and waits for a seat where the server is full. Rejects with what went wrong. */
  static async open({
    onEvent = () => {},
    createWorker = newWorker,
    signal,
    ...options
  }: RemoteClientOptions): Promise<RemoteClient> {
    signal?.throwIfAborted()
    let client: RemoteClient | null = null
    const tell = (event: RemoteHostEvent) => {
      if (client ? client.closing : signal?.aborted) return
      client?.handle(event.type)
      onEvent(event)
    }
    const port: Port = new RequestPort({
      worker: createWorker(),
      onEvent: tell,
      onGone: ({ message }) => {
        if (client && !client.lost) tell({ type: 'failed', message })
      },
    })
    const giveUp = () => port.end(signal!.reason)
    signal?.addEventListener('abort', giveUp)
    try {
      const opened = await port.call('open', [{ ...options, runtimes: runtimeAddresses() }])
      client = new RemoteClient(port, opened)
      return client
    } catch (error) {
      port.end(error as Error)
      throw error
    } finally {
      signal?.removeEventListener('abort', giveUp)
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
    return this.ticked('reset', [options])
  }

  restore(snapshot: Snapshot): Promise<Tick> {
    return this.ticked('restore', [snapshot])
  }

  step(action: Action): Promise<Tick> {
    return this.ticked('step', [action])
  }

  seek(target: number): Promise<Tick> {
    return this.ticked('seek', [target])
  }

  async setPrompt(prompt: Prompt | string): Promise<PromptReceipt> {
    return this.value('setPrompt', [prompt])
  }

  snapshot(): Promise<Snapshot> {
    return this.value('snapshot', [])
  }

  readPixels(): Promise<Pixels> {
    return this.value('readPixels', [])
  }

  readTelemetry(): Promise<Telemetry | null> {
    return this.value('readTelemetry', [])
  }

  /** Changes how time passes; nothing where it passes so already. */
  async setMode(mode: Mode): Promise<void> {
    const before = this.current
    if (mode === before) return
    // At once: whoever changes it back meanwhile must be heard.
    this.current = mode
    try {
      await this.value('setMode', [mode])
    } catch (error) {
      this.current = before
      throw error
    }
  }

  /** Resolves once the server does not answer, with what was last seen of the drive; null where nothing was. */
  async whenSilent(): Promise<Snapshot | null> {
    if (!this.silent) await new Promise<void>((resolve) => this.awaitingSilence.push(resolve))
    return this.value('seen', [], 'whenSilent')
  }

  close(): Promise<void> {
    this.closing ??= this.end()
    return this.closing
  }

  private async end(): Promise<void> {
    await this.port.call('close', []).catch(() => {})
    this.port.end(new WorldClosedError('step'))
  }

  private handle(type: RemoteHostEvent['type']): void {
    if (type === 'failed') this.lost = true
    else if (type === 'reconnected') this.silent = false
    else if (type === 'disconnected') {
      this.silent = true
      for (const resolve of this.awaitingSilence.splice(0)) resolve()
    }
  }

  private async ticked<Name extends TickCall>(call: Name, args: Parameters<RemoteHost[Name]>): Promise<Tick> {
    this.newest = (await this.value(call, args)) as Stepped
    return this.newest.tick
  }

  /** `name`: as the page calls it. */
  private async value<Name extends RemoteCall>(
    call: Name,
    args: Parameters<RemoteHost[Name]>,
    name: string = call,
  ): Promise<Awaited<ReturnType<RemoteHost[Name]>>> {
    if (this.closing) throw new WorldClosedError(name)
    return this.port.call(call, args as never) as Promise<Awaited<ReturnType<RemoteHost[Name]>>>
  }
}

function newWorker(): Worker {
  return new Worker(new URL('./remote-worker.ts', import.meta.url), { type: 'module', name: 'remote' })
}
