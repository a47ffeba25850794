/** Packs the start states of a world as a server does: node scripts/tsx.mjs clients/python/tests/node-latents.ts WORLD REPORT */
import { writeFileSync } from 'node:fs'
import { NO_CACHE } from '../../../src/model/assets/assets'
import { loadWorldFiles } from '../../../src/model/assets/world-files'
import { folderOnDisk } from '../../../src/model/node'
import { packLatent, unpackLatent } from '../../../src/net/protocol/latents'

const [world, report] = process.argv.slice(2)
const { shape, starts } = await loadWorldFiles({
  source: folderOnDisk(world!),
  cache: NO_CACHE,
  onProgress: () => {},
})
const base64 = ({ buffer, byteOffset, byteLength }: ArrayBufferView) =>
  Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength).toString('base64')
const packed = starts.flatMap(({ latents }) => {
  const payload = packLatent(latents.subarray(0, shape.latentLength), shape)
  return [payload, payload.subarray(0, payload.length >> 1)].map((bytes) => ({
    payload: base64(bytes),
    latent: base64(unpackLatent(bytes, shape)),
  }))
})
writeFileSync(report!, JSON.stringify(packed))
