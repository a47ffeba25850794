/** `npm run record`: drives the simulator in a headless browser and writes episodes. */
import { once } from 'node:events'
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { createServer as createHttp, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { promisify } from 'node:util'
import { deflate } from 'node:zlib'
import { Command, InvalidArgumentError } from 'commander'
import { pack, unpack } from 'msgpackr'
import { chromium } from 'playwright'
import { createServer as createVite } from 'vite'

import { chromiumFlags, ensureChromium } from '../e2e/chromium'
import { POLICIES, type PolicyName } from '../src/scene/drive/policy'
import { TELEMETRY } from '../src/scene/drive/telemetry'
import { fromUser } from './lib/place.mjs'
import { progressOf } from './lib/progress.mjs'

const compress = promisify(deflate)

interface Options {
  world: string
  episodes: number
  ticks: number
  seed: number
  out: string
  policy?: PolicyName
  angle: string
}

function whole(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 0)
    throw new InvalidArgumentError('Give a non-negative whole number.')
  return value
}

const options = new Command('record')
  .description(
    'Record episodes of a simulator: frames, actions, captions, rewards. Resumes: episodes on disk are kept.',
  )
  .requiredOption('--world <name>', 'the world to record (drive)', 'drive')
  .option('--episodes <n>', 'episodes', whole, 100)
  .option('--ticks <n>', 'ticks an episode', whole, 160)
  .option('--seed <n>', 'seed of the first episode; 1,000,000 and up is held out from training', whole, 0)
  .option('--policy <name>', `one of ${POLICIES.join(', ')} (default: all, mixed)`)
  .option(
    '--angle <name>',
    'what Chromium draws with: swiftshader, or gl-egl where Mesa is (faster)',
    'swiftshader',
  )
  .requiredOption('--out <dir>', 'folder of the episodes', fromUser)
  .parse()
  .opts<Options>()

function stop(message: string): never {
  console.error(message)
  process.exit(1)
}

if (options.world !== 'drive')
  stop(`There is a simulator for the world "drive", but "${options.world}" was asked for.`)
if (options.policy && !POLICIES.includes(options.policy)) {
  stop(`A policy is one of ${POLICIES.join(', ')}, but "${options.policy}" was asked for.`)
}
if (options.ticks < 30 || options.episodes < 1)
  stop('An episode needs at least 30 ticks, and a recording at least one episode.')

const fileOf = (seed: number) => path.join(options.out, `ep-${String(seed).padStart(7, '0')}.msgpack`)

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

/** Writes one episode: a msgpack map with the frames deflated; under a temporary name until it is whole. */
async function writeEpisode(body: Buffer): Promise<void> {
  const episode = unpack(body)
  if (!seeds.includes(episode.seed))
    throw new Error(`an episode of seed ${episode.seed} came, which is not recorded`)
  const frames = await compress(episode.frames, { level: 1 })
  const file = fileOf(episode.seed)
  const container = {
    format: 'oneiro-episode',
    version: 3,
    world: options.world,
    ticksPerSecond: 20,
    telemetryNames: TELEMETRY.map(({ name }) => name),
    ...episode,
    frames,
  }
  await writeFile(`${file}.part`, pack(container))
  await rename(`${file}.part`, file)
}

await mkdir(options.out, { recursive: true })
for (const name of await readdir(options.out)) {
  if (name.endsWith('.part')) await rm(path.join(options.out, name))
}
const there = new Set(await readdir(options.out))
const seeds = Array.from({ length: options.episodes }, (_, i) => options.seed + i)
const missing = seeds.filter((seed) => !there.has(path.basename(fileOf(seed))))
if (missing.length < seeds.length)
  console.log(`${seeds.length - missing.length} of ${seeds.length} episodes are there already.`)

const vite = await createVite({
  logLevel: 'error',
  server: { port: 0, host: '127.0.0.1', hmr: false, watch: null },
})
await vite.listen()
const page0 = `http://127.0.0.1:${(vite.httpServer!.address() as AddressInfo).port}/src/scene/drive/recorder/index.html`

let failure = ''
const sink = createHttp((request, response) => {
  const origin = new URL(page0).origin
  if (request.headers.origin !== origin)
    return void response.writeHead(403).end('Only the recorder writes here.')
  response.setHeader('Access-Control-Allow-Origin', origin)
  response.setHeader('Cross-Origin-Resource-Policy', 'cross-origin')
  readBody(request)
    .then(writeEpisode)
    .then(
      () => response.end('saved'),
      (error: Error) => {
        failure = `Could not write to ${options.out}: ${error.message}. Free some space or choose another --out, then run again: it goes on where it stopped.`
        response.writeHead(507).end(failure)
      },
    )
})
sink.listen(0, '127.0.0.1')
await once(sink, 'listening')
const sinkUrl = `http://127.0.0.1:${(sink.address() as AddressInfo).port}/`

const browser = await chromium.launch({
  executablePath: await ensureChromium(),
  args: [
    ...chromiumFlags.wasm,
    `--use-angle=${options.angle}`,
    '--enable-unsafe-swiftshader',
    '--ignore-gpu-blocklist',
  ],
})
const page = await browser.newPage()
page.on('pageerror', (error) => console.error(`The recorder page failed: ${error.message}`))
await page.goto(page0)
await page.waitForFunction(() => 'recordOne' in window)

const progress = progressOf({ total: missing.length, unit: 'episodes', stream: process.stdout })
const started = Date.now()
let code = 0
try {
  for (const [done, seed] of missing.entries()) {
    const spec = { seed, ticks: options.ticks, policy: options.policy }
    await page.evaluate(
      ([s, url]) =>
        (window as unknown as { recordOne(s: unknown, url: unknown): Promise<number> }).recordOne(s, url),
      [spec, sinkUrl] as const,
    )
    const fps = ((done + 1) * options.ticks * 1000) / (Date.now() - started)
    progress.advance(`${fps.toFixed(0)} frames/s`)
  }
} catch (error) {
  code = 1
  console.error(`\n${failure || (error as Error).message}`)
} finally {
  progress.stop()
  await browser.close()
  sink.close()
  await vite.close()
}
process.exit(code)
