/** Oneiro in Node. */
import './worlds'
import { BadInputError } from './engine/errors'
import { withPackage } from './engine/optional-package'
import type { Pixels, World } from './engine/world'
import type { OpenDreamNodeOptions } from './model/node'
import type { SocketConstructor } from './net/client/link'
import { eitherPictures, imagePictures, latentPictures, type Pictures } from './net/client/pictures'
import type { RemoteEvent } from './net/client/remote-options'
import { RemoteWorld } from './net/client/remote-world'

export * from './public'

/** How a world is opened. What does not fit its address is left aside. */
interface OpenOptions extends OpenDreamNodeOptions {
  /** Opens a server, where it asks for one. */
  readonly token?: string
  /** Of a server: the folder of the same world, whose decoder then draws it here. */
  readonly assets?: string
  /** Of a server: decodes its images, for one whose world is not that of `assets`. */
  readonly decodeImage?: (bytes: Uint8Array, mediaType: string) => Promise<Pixels>
  /** Hears what happens to the connection; `message` is a sentence for the user. */
  readonly onEvent?: (event: RemoteEvent) => void
}

/**
 * Opens a world: the dream in a folder (it holds `world.json`), on onnxruntime-node; or the world that a server streams, at
 * `ws://` or `wss://`, in lockstep. Close it when done. Rejects with a named error (`OneiroError`).
 *
 * A dream computes on the calling thread.
 *
 * @example
 * const world = await openWorld('assets/drive')
 * await world.reset({ seed: 7, prompt: 'a snowy night drive' })
 * const { frame } = await world.step(spaceOf(world.info.controls).idle)
 */
export async function openWorld(address: string, options: OpenOptions = {}): Promise<World> {
  if (/^https?:/.test(address)) {
    throw new BadInputError(
      `In Node a world is a folder on disk or a server at ws://, but ${address} came. Download its files first.`,
    )
  }
  if (!/^wss?:/.test(address)) return (await onnxRuntime()).openDreamNode(address, options)
  const { token, onEvent } = options
  const pictures = await picturesFor(options)
  try {
    return await RemoteWorld.open({
      ...{ url: address, token, pictures, onEvent },
      WebSocket: (globalThis.WebSocket ?? (await import('ws')).WebSocket) as unknown as SocketConstructor,
      // Jitter of reconnection: no part of a drive.
      random: Math.random,
    })
  } catch (error) {
    await pictures.close()
    throw error
  }
}

/** Latents where there is a decoder, images where somebody decodes them; the first where both are. */
async function picturesFor({ assets, decodeImage, threads = 2 }: OpenOptions): Promise<Pictures> {
  const images = decodeImage && imagePictures(decodeImage)
  if (assets === undefined && images) return images
  if (assets === undefined) {
    throw new BadInputError(
      'A server sends latents or images, but nothing was given that draws them. Pass assets, a folder of the same world, or decodeImage.',
    )
  }
  const latents = latentPictures(await (await onnxRuntime()).openDecoderNode(assets, threads))
  return images ? eitherPictures(latents, images) : latents
}

/** What computes with ONNX Runtime; a server whose images somebody decodes is played without. */
const onnxRuntime = () => withPackage('onnxruntime-node', () => import('./model/node'))
