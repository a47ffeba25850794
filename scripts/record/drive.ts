/** Episodes of the drive's simulator, drawn in a headless browser. */
import { once } from 'node:events'
import { createServer as createHttp, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { unpack } from 'msgpackr'
import { chromium } from 'playwright'
import { createServer as createVite } from 'vite'

import { chromiumFlags, ensureChromium } from '../../e2e/chromium'
import { TELEMETRY } from '../../src/scene/drive/telemetry'
import type { EpisodeFolder, RecordOptions } from './files'

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

/** Records the seeds that are missing; `advance` after each. Throws a sentence where it cannot go on. */
export async function recordDrive(
  options: RecordOptions,
  folder: EpisodeFolder,
  advance: () => void,
): Promise<void> {
  async function write(body: Buffer): Promise<void> {
    const episode = unpack(body)
    if (!folder.seeds.includes(episode.seed))
      throw new Error(`an episode of seed ${episode.seed} came, which is not recorded`)
    const telemetryNames = TELEMETRY.map(({ name }) => name)
    await folder.write({ version: 3, world: options.world, ticksPerSecond: 20, telemetryNames, ...episode })
  }

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
      .then(write)
      .then(
        () => response.end('saved'),
        (error: Error) => {
          failure = error.message
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
  try {
    const page = await browser.newPage()
    page.on('pageerror', (error) => console.error(`The recorder page failed: ${error.message}`))
    await page.goto(page0)
    await page.waitForFunction(() => 'recordOne' in window)
    for (const seed of folder.missing) {
      const spec = { seed, ticks: options.ticks, policy: options.policy }
      await page.evaluate(
        ([s, url]) =>
          (window as unknown as { recordOne(s: unknown, url: unknown): Promise<number> }).recordOne(s, url),
        [spec, sinkUrl] as const,
      )
      advance()
    }
  } catch (error) {
    throw failure ? new Error(failure) : error
  } finally {
    await browser.close()
    sink.close()
    await vite.close()
  }
}
