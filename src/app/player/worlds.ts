import type { World } from '../../engine/world'
import type { DreamClient, DreamEvent } from '../../model/open'
import type { RemoteHostEvent } from '../../net/client/remote-host'
import type { Simulator } from '../../scene/drive'
import { codeOf } from '../failures'
import { explained, loadPart } from '../offline/newer'
import type { BackendChoice } from '../params'
import { notify, type Store } from '../store'
import type { RemoteDream } from './remote-dream'
import { type OnLost, Seats, type Server } from './seats'

const PHASES: Readonly<Record<string, string>> = {
  manifest: 'Looking for the dream',
  download: 'Fetching the dream',
  compile: 'Waking the network',
  'self-test': 'Checking the first frame',
  calibrate: 'Counting threads',
  ready: 'Opening its eyes',
}
const NOT_ISOLATED =
  'This server does not isolate the page (COOP and COEP headers), so the dream has one thread and may be slower.'
/** From then on the service worker isolates it. */
const FIRST_VISIT =
  'On the first visit the dream has one thread and may be slower. Load the page again to give it more.'
/** How much of the bar each phase takes, so that it never runs backwards. */
const SHARE: Readonly<Record<string, readonly [number, number]>> = {
  manifest: [0, 0.03],
  download: [0.03, 0.7],
  compile: [0.7, 0.88],
  'self-test': [0.88, 0.94],
  calibrate: [0.94, 0.99],
  ready: [0.99, 1],
}

export interface WorldOptions {
  readonly assets: string
  readonly backend: BackendChoice
}

/** Where the player gets its worlds from. */
export interface WorldPort {
  dream(): Promise<DreamClient>
  /** The dream on a server; `onLost` is told where it is gone for good. `signal` gives up while there is no seat yet. */
  remote(server: Server, onLost: OnLost, signal: AbortSignal): Promise<RemoteDream>
  /** Gives up the seats on servers, but for that of the world that is driven. */
  dropRemote(driven?: World | null): Promise<void>
  simulator(): Promise<Simulator>
  readonly dreamCanvas: HTMLCanvasElement | null
  resizeDream(width: number, height: number): Promise<void>
  dropDream(backend?: BackendChoice): Promise<void>
  close(): Promise<void>
}

/** The worlds that are open. Each is opened when first asked for, once, and kept for switching back. */
export class Worlds implements WorldPort {
  private dreaming: Promise<DreamClient> | null = null
  private simulating: Promise<Simulator> | null = null
  private canvas: HTMLCanvasElement | null = null
  private readonly seats = new Seats((...seat) => this.openRemote(...seat))

  constructor(
    private readonly store: Store,
    private options: WorldOptions,
  ) {}

  dream(): Promise<DreamClient> {
    this.dreaming ??= this.openDream()
      // Whoever asked may show something else by now, and nobody else would end what the page says of it.
      .finally(() => this.store.setState({ loading: null }))
      .catch((error) => {
        this.dreaming = null
        throw error
      })
    return this.dreaming
  }

  simulator(): Promise<Simulator> {
    this.simulating ??= loadPart(() => import('../../scene/drive'))
      .then(({ openSimulator }) => openSimulator())
      .catch((error) => {
        this.simulating = null
        throw error
      })
    return this.simulating
  }

  remote(server: Server, onLost: OnLost, signal: AbortSignal): Promise<RemoteDream> {
    return this.seats.take(server, onLost, signal)
  }

  dropRemote(driven?: World | null): Promise<void> {
    return this.seats.leave(driven)
  }

  /** The canvas that the dream draws into by itself, where it runs on WebGPU. */
  get dreamCanvas(): HTMLCanvasElement | null {
    return this.canvas
  }

  /** Device pixels that the dream's own canvas is shown at. */
  async resizeDream(width: number, height: number): Promise<void> {
    const dream = await this.dreaming?.catch(() => null)
    if (dream && this.canvas) await dream.resizeCanvas(width, height, 'stretch').catch(() => {})
  }

  /** Closes the dream and forgets it, so that the next `dream()` opens it anew, on another backend if one is given. */
  async dropDream(backend?: BackendChoice): Promise<void> {
    const dreaming = this.dreaming
    this.dreaming = null
    this.canvas = null
    if (backend) this.options = { ...this.options, backend }
    await dreaming?.then((dream) => dream.close()).catch(() => {})
  }

  async close(): Promise<void> {
    await Promise.all([this.dropDream(), this.dropRemote()])
    await this.simulating?.then((world) => world.close()).catch(() => {})
    this.simulating = null
  }

  private async openDream(): Promise<DreamClient> {
    const { openWorld } = await loadPart(() => import('../../index'))
    const { store } = this
    const dream = await openTwice(() =>
      openWorld(new URL(this.options.assets), {
        backend: this.options.backend,
        onProgress: ({ phase, loaded, total }) => {
          const [from, to] = SHARE[phase] ?? [0, 1]
          const counted = phase === 'download' && total > 0
          const amount = counted ? ` · ${megabytes(loaded)} of ${megabytes(total)} MB` : ''
          store.setState({
            loading: {
              label: `${PHASES[phase] ?? phase}${amount}`,
              fraction: counted ? from + (to - from) * Math.min(1, loaded / total) : to,
              // What cannot be counted moves slowly towards the end of its share.
              creeping: !counted,
            },
          })
        },
        onEvent: (event) => this.heard(event),
      }),
    )
    if (dream.info.backend === 'webgpu') {
      const canvas = document.createElement('canvas')
      canvas.width = dream.info.width
      canvas.height = dream.info.height
      await dream.attachCanvas(canvas.transferControlToOffscreen())
      this.canvas = canvas
    } else if (!globalThis.crossOriginIsolated) {
      const { serviceWorker } = navigator
      notify(store, serviceWorker && !serviceWorker.controller ? FIRST_VISIT : NOT_ISOLATED)
    }
    return dream
  }

  private async openRemote(server: Server, onLost: OnLost, signal: AbortSignal): Promise<RemoteDream> {
    const { openWorld } = await loadPart(() => import('../../index'))
    const { store } = this
    try {
      return await openWorld(server.url as `ws://${string}`, {
        token: server.token,
        assets: this.options.assets,
        signal,
        onEvent: ({ type, message, seen }: RemoteHostEvent) => {
          if (signal.aborted) return
          if (type === 'failed') onLost(message, seen)
          else if (type === 'waiting') store.setState({ loading: { label: message, fraction: null } })
          else notify(store, message, type === 'disconnected' ? 'warn' : 'info')
        },
      })
    } finally {
      // As for the dream of this device.
      store.setState({ loading: null })
    }
  }

  /** What happens to the dream beside its ticks, in its own words. */
  private heard(event: DreamEvent): void {
    const { store } = this
    if (event.type === 'backend') {
      store.setState({ backend: backendName(event.info.backend) })
      // The canvas stays behind on the device that is gone; ticks carry their pixels from now on.
      if (event.info.backend !== 'webgpu') this.canvas = null
    }
    // A new worker or device reports its loading as the first did.
    if (event.type === 'recovered' || event.type === 'failed') store.setState({ loading: null })
    const good = event.type === 'notice' || event.type === 'recovered'
    notify(store, event.message, good ? 'info' : 'warn')
  }
}

/** Once more where the worker's code did not load, since one bad answer of the server is enough for that. */
async function openTwice(open: () => Promise<DreamClient>): Promise<DreamClient> {
  try {
    return await open()
  } catch (error) {
    if (codeOf(error) !== 'WORKER_FAILED' && codeOf(error) !== 'UNEXPECTED') throw await explained(error)
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS))
  }
  try {
    return await open()
  } catch (error) {
    throw await explained(error)
  }
}

const AGAIN_MS = 1000

const BACKENDS: Readonly<Record<string, string>> = { webgpu: 'WebGPU', wasm: 'WASM', three: 'WebGL' }

/** A backend's name as people write it; both names for two worlds side by side. */
export function backendName(name: string): string {
  return name
    .split(' + ')
    .map((part) => BACKENDS[part] ?? part)
    .join(' + ')
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1)
}
