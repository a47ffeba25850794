/**
 * What a frame's payload costs: `npx tsx bench/payloads.ts [world]`. Bytes, and PSNR of the picture against that of the
 * exact latent, over the world's start states; the loss is what that adds to the error of the codec, `--codec` dB.
 */
import { Command } from 'commander'
import * as ort from 'onnxruntime-node'
import sharp from 'sharp'
import type { Pixels } from '../src/engine/world'
import { NO_CACHE } from '../src/model/assets/assets'
import { loadWorldFiles } from '../src/model/assets/world-files'
import { LatentDecoder } from '../src/model/dream/latent-decoder'
import { folderOnDisk, nodeSession } from '../src/model/node'
import { packLatent, unpackLatent } from '../src/net/protocol/latents'

const QUALITY = 80

/** Mean squared error of the colours, 0..1. */
function error(a: Pixels['data'], b: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) if (i % 4 < 3) sum += (a[i]! - b[i]!) ** 2
  return sum / ((a.length / 4) * 3 * 255 ** 2)
}

const decibel = (mse: number) => -10 * Math.log10(mse)

async function main(world: string, { codec }: { codec: number }): Promise<void> {
  const source = folderOnDisk(world)
  const { starts, shape } = await loadWorldFiles({ source, cache: NO_CACHE })
  const decoder = await LatentDecoder.open({ ort, source, cache: NO_CACHE, session: nodeSession(2) })
  const newest = starts.map(({ latents }) => latents.slice(0, shape.latentLength))
  const exact = []
  for (const latent of newest) exact.push(await decoder.decode(latent))

  const say = (name: string, bytes: number[], errors: number[]) => {
    const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length
    const own = 10 ** (-codec / 10)
    const loss = codec - decibel(own + mean(errors))
    console.log(
      `${name}: ${Math.round(mean(bytes))} bytes (${Math.max(...bytes)} at most), ${mean(errors.map(decibel)).toFixed(1)} dB (${decibel(Math.max(...errors)).toFixed(1)} at worst), loss ${loss.toFixed(2)} dB`,
    )
  }
  for (const step of [0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1]) {
    const payloads = newest.map((latent) => packLatent(latent, shape, step))
    const errors = []
    for (const [i, payload] of payloads.entries()) {
      errors.push(error(exact[i]!.data, (await decoder.decode(unpackLatent(payload, shape))).data))
    }
    say(
      `latents, step ${step}`,
      payloads.map(({ length }) => length),
      errors,
    )
  }
  for (const format of ['webp', 'jpeg'] as const) {
    const bytes: number[] = []
    const errors: number[] = []
    for (const { data, width, height } of exact) {
      const image = sharp(data, { raw: { width, height, channels: 4 } }).removeAlpha()
      const encoded = await (format === 'webp'
        ? image.webp({ quality: QUALITY, effort: 0 })
        : image.jpeg({ quality: QUALITY })
      ).toBuffer()
      bytes.push(encoded.length)
      errors.push(error(data, await sharp(encoded).ensureAlpha().raw().toBuffer()))
    }
    say(`${format}, quality ${QUALITY}`, bytes, errors)
  }
  await decoder.dispose()
}

await new Command('payloads')
  .argument('[world]', 'folder of the world', 'assets/drive')
  .option('--codec <dB>', 'PSNR of the codec', Number, 31.9)
  .action(main)
  .parseAsync()
