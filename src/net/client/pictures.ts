import { BadInputError } from '../../engine/errors'
import type { Pixels, Telemetry } from '../../engine/world'
import type { LatentDecoder } from '../../model/dream/latent-decoder'
import { telemetryIn } from '../../model/dream/telemetry'
import { unpackLatent } from '../protocol/latents'
import type { FrameFormat } from '../protocol/messages'
import type { Known } from './drive-memory'

/** What is known of a frame that came. */
export interface Picture {
  readonly frame: Pixels
  /** Left out where it came as an image, or the world has no instruments. */
  readonly telemetry?: Telemetry
}

/** Turns payloads into pictures. What it can read decides what the server is asked for. */
export interface Pictures {
  /** In order of liking. */
  readonly formats: readonly FrameFormat[]
  /** Of the decoder, where `formats` has latents. */
  readonly decoderHash?: string
  /** The world whose latents those are. */
  readonly known?: Known
  /** Throws an `OneiroError` where the payload is damaged. */
  decode(format: FrameFormat, payload: Uint8Array): Promise<Picture>
  /** Frees what it holds; idempotent. */
  close(): Promise<void>
}

type DecodeImage = (bytes: Uint8Array, mediaType: string) => Promise<Pixels>

/** Latents through the world's own decoder. Closing it frees the decoder. */
export function latentPictures(decoder: LatentDecoder): Pictures {
  return {
    formats: ['latents'],
    decoderHash: decoder.modelHash,
    known: decoder,
    async decode(_format, payload) {
      const latent = unpackLatent(payload, decoder.shape)
      const telemetry = telemetryIn(latent, decoder.shape)
      return { frame: await decoder.decode(latent), ...(telemetry ? { telemetry } : {}) }
    },
    close: () => decoder.dispose(),
  }
}

/** Compressed images through `decode`; in a browser the platform's own. Throws `BadInputError` where there is none. */
export function imagePictures(decode: DecodeImage = decodeInBrowser): Pictures {
  if (decode === decodeInBrowser && typeof createImageBitmap === 'undefined') {
    throw new BadInputError(
      'Images are decoded by the browser, but this is none. Pass a decoder of your own, for example one with sharp.',
    )
  }
  return {
    formats: ['webp', 'jpeg'],
    decode: async (format, payload) => ({ frame: await decode(payload, `image/${format}`) }),
    close: async () => {},
  }
}

/** Latents where the server's world is the decoder's, else images. */
export function eitherPictures(latents: Pictures, images: Pictures): Pictures {
  return {
    formats: [...latents.formats, ...images.formats],
    decoderHash: latents.decoderHash,
    known: latents.known,
    decode: (format, payload) => (format === 'latents' ? latents : images).decode(format, payload),
    close: async () => {
      await latents.close()
      await images.close()
    },
  }
}

async function decodeInBrowser(bytes: Uint8Array, type: string): Promise<Pixels> {
  const bitmap = await createImageBitmap(new Blob([bytes as Uint8Array<ArrayBuffer>], { type }))
  const { width, height } = bitmap
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true })!
  context.drawImage(bitmap, 0, 0)
  bitmap.close()
  return { width, height, data: context.getImageData(0, 0, width, height).data }
}
