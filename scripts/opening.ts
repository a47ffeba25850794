/** `node scripts/tsx.mjs scripts/opening.ts [SEED]`: draws the first frame of the opening drive, which the page shows while it loads. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { parseManifest } from '../src/model/assets/manifest'
import { openWorld } from '../src/node'

const FOLDER = 'src/app/opening'
const WORLD = 'assets/drive'

const before = JSON.parse(await readFile(join(FOLDER, 'opening.json'), 'utf8'))
const seed = Number(process.argv[2] ?? before.seed)
const { presets, modelHash } = parseManifest(await readFile(join(WORLD, 'world.json'), 'utf8'))
const prompt = presets[0]!.text
const world = await openWorld(WORLD)
const { frame } = await world.reset({ seed, prompt: { text: prompt } })
await world.close()
const { width, height, data } = frame!
const image = sharp(Buffer.from(data.buffer), { raw: { width, height, channels: 4 } }).removeAlpha()
const bytes = await image.webp({ quality: 88, effort: 6 }).toBuffer()
await writeFile(join(FOLDER, 'opening.webp'), bytes)
await writeFile(join(FOLDER, 'opening.json'), `${JSON.stringify({ seed, prompt, modelHash }, null, 2)}\n`)
console.log(`The first frame of seed ${seed}, "${prompt}": ${bytes.length} bytes of ${width}x${height}.`)
