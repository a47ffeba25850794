/** Plays a world: npx tsx examples/agent.ts [FOLDER or ws://localhost:7700] */
import sharp from 'sharp'
import { openWorld, spaceOf } from '../src/node'

const world = await openWorld(process.argv[2] ?? 'assets/drive', {
  // Of a server: latents where it dreams this world, else images.
  assets: 'assets/drive',
  async decodeImage(bytes) {
    const { data, info } = await sharp(bytes).ensureAlpha().raw().toBuffer({ resolveWithObject: true })
    return { width: info.width, height: info.height, data: new Uint8ClampedArray(data) }
  },
  onEvent: ({ message }) => console.log(message),
})
const space = spaceOf(world.info.controls)
await world.reset({ seed: 7, ...(world.info.prompt ? { prompt: 'a snowy night drive' } : {}) })
for (let i = 0; i < 20; i++) {
  const { index, frame } = await world.step(space.action(i % space.size))
  console.log(`tick ${index}: ${frame?.width}x${frame?.height}`)
}
await world.close()
