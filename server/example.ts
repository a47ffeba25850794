/** Plays on a server: npx tsx server/example.ts [ws://localhost:7700] */
import * as ort from 'onnxruntime-node'
import sharp from 'sharp'
import { WebSocket } from 'ws'
import { spaceOf } from '../src/engine/controls'
import { NO_CACHE } from '../src/model/assets'
import { LatentDecoder } from '../src/model/latent-decoder'
import { folderOnDisk } from '../src/model/node'
import { eitherPictures, imagePictures, latentPictures } from '../src/net/pictures'
import { RemoteWorld } from '../src/net/remote-world'

// Latents where the server dreams the same world, else images.
const source = folderOnDisk('assets/drive')
const decoder = await LatentDecoder.open({ ort, source, cache: NO_CACHE, session: {} })
const images = imagePictures(async (bytes) => {
  const { data, info } = await sharp(bytes).ensureAlpha().raw().toBuffer({ resolveWithObject: true })
  return { width: info.width, height: info.height, data: new Uint8ClampedArray(data) }
})

const world = await RemoteWorld.open({
  url: process.argv[2] ?? 'ws://localhost:7700',
  WebSocket,
  pictures: eitherPictures(latentPictures(decoder), images),
  mode: 'lockstep', // or 'realtime'
  random: Math.random, // jitter of reconnection
  onEvent: ({ message }) => console.log(message),
})
await world.reset({ seed: 7, prompt: 'a snowy night drive' })
const { idle } = spaceOf(world.info.controls)
for (let i = 0; i < 20; i++) {
  const { index, frame } = await world.step(idle)
  console.log(`tick ${index}: ${frame?.width}x${frame?.height}`)
}
await world.close()
