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
import { toWire, type WireError } from '../../model/errors'
import { type Notice, noticeOf } from '../../model/notices'
import type { Mode } from '../protocol/messages'
import type { SocketConstructor } from './link'
import { eitherPictures, imagePictures, latentPictures, type Pictures } from './pictures'
import type { RemoteStats } from './remote-options'
import { RemoteWorld } from './remote-world'

/** Errors do not keep their class on the way between threads, so an answer carries them as values. */
export type Outcome<T> =
  | { readonly value: T }
  /** `gone`: the world is lost for good, and `failed` is told too. */
  | { readonly error: WireError; readonly gone: boolean }

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

  open(
    options: RemoteHostOptions,
    onEvent: (event: RemoteHostEvent) => void,
  ): Promise<Outcome<RemoteOpened>> {
    return outcome(async () => {
      useRuntimes(options.runtimes ?? {})
      const { pictures, manifest } = await picturesFor(options.assets, onEvent)
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
            onEvent({ type, message, ...(seen ? { seen } : {}) })
          },
        })
      } catch (error) {
        await pictures.close()
        throw error
      }
      return { info: this.world.info, manifest }
    })
  }

  reset = (options: ResetOptions) => this.stepped((world) => world.reset(options))
  restore = (snapshot: Snapshot) => this.stepped((world) => world.restore(snapshot))
  step = (action: Action) => this.stepped((world) => world.step(action))
  seek = (target: number) => this.stepped((world) => world.seek(target))
  setPrompt = (prompt: Prompt | string) => this.answer<PromptReceipt>((world) => world.setPrompt(prompt))
  snapshot = () => this.answer<Snapshot>((world) => world.snapshot())
  readTelemetry = () => this.answer<Telemetry | null>((world) => world.readTelemetry())
  readPixels = () => this.answer<Pixels>((world) => world.readPixels())
  /** What was last seen of the drive; null where nothing was. */
  seen = () => this.answer<Snapshot | null>(async (world) => world.seen)
  setMode = (mode: Mode) => this.answer<void>((world) => world.setMode(mode))
  close = () => this.answer<void>((world) => world.close())

  private stepped(call: (world: RemoteWorld) => Promise<Tick>): Promise<Outcome<Stepped>> {
    return this.answer(async (world) => {
      const tick = await call(world)
      const { stats, range, position } = world
      return { tick, stats, range, position }
    })
  }

  private answer<T>(call: (world: RemoteWorld) => Promise<T>): Promise<Outcome<T>> {
    return outcome(
      () => call(this.world!),
      () => this.world!.gone,
    )
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

async function outcome<T>(work: () => Promise<T>, isGone = () => false): Promise<Outcome<T>> {
  try {
    return { value: await work() }
  } catch (error) {
    return { error: toWire(error), gone: isGone() }
  }
}
