import type { Action } from '../../engine/controls'
import type { Past } from '../../engine/timeline'
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
import { fetchedFolder } from '../../model/assets/assets'
import { browserCache } from '../../model/assets/browser-cache'
import type { Manifest } from '../../model/assets/manifest'
import { type RuntimeAddresses, useRuntimes, wasmOrt } from '../../model/backends/runtimes'
import { LatentDecoder } from '../../model/dream/latent-decoder'
import { type Notice, noticeOf } from '../../model/notices'
import type { Mode } from '../protocol/messages'
import type { SocketConstructor } from './link'
import { eitherPictures, imagePictures, latentPictures, type Pictures } from './pictures'
import type { RemoteStats } from './remote-options'
import { RemoteWorld } from './remote-world'

export interface RemoteHostOptions {
  /** Address of the server, `ws://` or `wss://`. */
  readonly url: string
  readonly token?: string
  /**
   * Absolute address of the folder of the world that this device knows; its decoder draws the server's latents. Left out,
   * pictures come as images.
   */
  readonly assets?: string
  readonly runtimes?: RuntimeAddresses
}

export interface RemoteOpened {
  readonly info: WorldInfo
  /** Of the world that this device knows; null where it has none, and then pictures come as images. */
  readonly manifest: Manifest | null
}

/** What happens to the connection, as a value; `message` is a sentence for the user. */
export interface RemoteHostEvent {
  readonly type: 'waiting' | 'disconnected' | 'reconnected' | 'failed' | 'notice'
  readonly message: string
  /** With `failed`: where the drive was seen last, if that is known. */
  readonly seen?: Snapshot
}

export interface Stepped extends Pick<Past, 'range' | 'position'> {
  readonly tick: Tick
  readonly stats: RemoteStats
}

/** What runs in the worker of a remote world: the socket, and the decoder, so that the page only shows pictures. */
export class RemoteHost {
  private world: RemoteWorld | null = null

  constructor(private readonly tell: (event: RemoteHostEvent) => void) {}

  /** The first of all: connects, and waits for a seat where the server is full. */
  async open(options: RemoteHostOptions): Promise<RemoteOpened> {
    useRuntimes(options.runtimes ?? {})
    const { pictures, manifest } = await picturesFor(options.assets, this.tell)
    try {
      this.world = await RemoteWorld.open({
        url: options.url,
        token: options.token,
        WebSocket: WebSocket as unknown as SocketConstructor,
        pictures,
        mode: 'realtime',
        // Jitter of reconnection: cosmetics of timing, no part of a drive.
        random: Math.random,
        onEvent: ({ type, message }) => {
          const seen = type === 'failed' ? this.world?.seen : null
          this.tell({ type, message, ...(seen ? { seen } : {}) })
        },
      })
    } catch (error) {
      await pictures.close()
      throw error
    }
    return { info: this.world.info, manifest }
  }

  reset = (options: ResetOptions) => this.stepped((world) => world.reset(options))
  restore = (snapshot: Snapshot) => this.stepped((world) => world.restore(snapshot))
  step = (action: Action) => this.stepped((world) => world.step(action))
  seek = (target: number) => this.stepped((world) => world.seek(target))
  setPrompt = (prompt: Prompt | string): Promise<PromptReceipt> => this.world!.setPrompt(prompt)
  snapshot = (): Promise<Snapshot> => this.world!.snapshot()
  readTelemetry = (): Promise<Telemetry | null> => this.world!.readTelemetry()
  readPixels = (): Promise<Pixels> => this.world!.readPixels()
  /** What was last seen of the drive; null where nothing was. */
  seen = async (): Promise<Snapshot | null> => this.world!.seen
  setMode = (mode: Mode): Promise<void> => this.world!.setMode(mode)
  close = (): Promise<void> => this.world!.close()

  private async stepped(call: (world: RemoteWorld) => Promise<Tick>): Promise<Stepped> {
    const tick = await call(this.world!)
    const { stats, range, position } = this.world!
    return { tick, stats, range, position }
  }
}

/** Latents through the decoder of the world in `assets`, and images for a server with another world. */
async function picturesFor(
  assets: string | undefined,
  onEvent: (event: RemoteHostEvent) => void,
): Promise<{ pictures: Pictures; manifest: Manifest | null }> {
  const tell = ({ message }: Notice) => onEvent({ type: 'notice', message })
  const images = imagePictures()
  if (assets === undefined) return { pictures: images, manifest: null }
  try {
    const decoder = await LatentDecoder.open({
      ort: await wasmOrt(1),
      source: fetchedFolder(assets),
      cache: browserCache(assets, tell),
      session: { executionProviders: ['wasm'] },
      onNotice: tell,
    })
    return { pictures: eitherPictures(latentPictures(decoder), images), manifest: decoder.manifest }
  } catch (error) {
    tell(noticeOf('NO_DECODER', error instanceof Error ? error.message : undefined))
    return { pictures: images, manifest: null }
  }
}
