// npm run film: plays the first minute of the built page as a new user would, and writes docs/first-minute.mp4 and .webp.
// It needs ffmpeg with libx264 and libwebp, and the built page (npm run build).
//
// The page's clock stands still while a tick is dreamed and a frame is taken, so the film shows what a machine that holds 20 ticks
// a second shows, however slow the one is that makes it. The time before the first dreamed frame is cut to two seconds.
import { spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium, type Page } from 'playwright'
import { serveBuilt } from '../e2e/built'
import { chromiumFlags, ensureChromium } from '../e2e/chromium'
import { root } from './lib/run.mjs'

const [WIDTH, HEIGHT] = [1280, 720]
const FRAMES_PER_SECOND = 10
const TICK_MS = 50
const TICKS_PER_FRAME = 1000 / FRAMES_PER_SECOND / TICK_MS
const SECONDS = Number(process.env.FILM_SECONDS ?? 60)
const LOADING_FRAMES = 2 * FRAMES_PER_SECOND
/** The film is of this day, so that its run is always the same. */
const START = Date.UTC(2026, 10, 29, 12)
const WAIT = { timeout: 300_000, polling: 200 }
/** How long a tick may take. */
const PATIENCE_MS = 4000
/** What the file may weigh. */
const MOST_BYTES = 1.3e6

/** What the new user does, by the second from the first dreamed frame on. Rough hands: keys are held too long. */
type Move = readonly [from: number, to: number, key: string]
const HANDS: readonly Move[] = [
  [4, 20, 'ArrowUp'],
  [5.2, 6.4, 'ArrowLeft'],
  [6.8, 8.6, 'ArrowRight'],
  [9.4, 10.2, 'ArrowLeft'],
  [12, 13.6, 'ArrowRight'],
  [14, 15, 'ArrowLeft'],
  [29, 33, 'ArrowUp'],
  [29.6, 30.6, 'ArrowRight'],
  [31.2, 32.4, 'ArrowLeft'],
  [46, 58, 'ArrowUp'],
  [48, 48.8, 'ArrowLeft'],
  [50, 50.7, 'ArrowRight'],
  [53, 53.8, 'ArrowLeft'],
]
const WORDS: readonly (readonly [number, string])[] = [
  [19, 'a snowy night drive'],
  [35, 'make it foggy'],
]
const RUN_AT = 44
const LETTERS_PER_SECOND = 12

async function film(): Promise<void> {
  if (!(await stat(join(root, 'dist/index.html')).catch(() => null)))
    throw new Error('There is no built page. Run `npm run build` first.')
  const folder = await mkdtemp(join(tmpdir(), 'oneiro-film-'))
  const site = await serveBuilt('/', {
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Embedder-Policy': 'require-corp',
  })
  const browser = await chromium.launch({
    executablePath: await ensureChromium(),
    args: [...chromiumFlags.wasm],
  })
  try {
    const page = await (await browser.newContext({ viewport: { width: WIDTH, height: HEIGHT } })).newPage()
    const camera = new Camera(page, folder)
    await open(page, camera, `${site.url}?backend=wasm`)
    await play(page, camera)
    await write(folder, camera.count)
  } finally {
    await browser.close()
    await site.close()
    await rm(folder, { recursive: true })
  }
}

class Camera {
  count = 0

  constructor(
    private readonly page: Page,
    private readonly folder: string,
  ) {}

  async take(): Promise<void> {
    const name = `${String(this.count++).padStart(4, '0')}.jpg`
    await this.page.screenshot({ path: join(this.folder, name), type: 'jpeg', quality: 92, timeout: 120_000 })
  }

  async repeat(times: number): Promise<void> {
    for (let i = 0; i < times; i++) await this.take()
  }
}

/** Until the first dreamed frame. The page's clock is in hand from the start, so that it never sees how slow this machine is. */
async function open(page: Page, camera: Camera, url: string): Promise<void> {
  await page.clock.install({ time: START })
  await page.clock.pauseAt(START + 1000)
  await page.goto(url, { timeout: 300_000 })
  const ready = () => page.evaluate(() => window.oneiro?.state().phase === 'ready')
  while (camera.count < LOADING_FRAMES && !(await ready())) {
    await page.clock.runFor(1000 / FRAMES_PER_SECOND)
    await camera.take()
  }
  while (!(await ready())) {
    await page.clock.runFor(TICK_MS)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

async function play(page: Page, camera: Camera): Promise<void> {
  for (let frame = 0; frame < SECONDS * FRAMES_PER_SECOND - LOADING_FRAMES; frame++) {
    const second = frame / FRAMES_PER_SECOND
    await act(page, second)
    for (let i = 0; i < TICKS_PER_FRAME; i++) await tick(page)
    await camera.take()
    if (frame % 50 === 0) console.log(`${second} s of ${SECONDS}`)
  }
}

async function act(page: Page, second: number): Promise<void> {
  const isNow = (at: number) => Math.abs(at - second) < 0.5 / FRAMES_PER_SECOND
  for (const [from, to, key] of HANDS) {
    if (isNow(from)) await page.keyboard.down(key)
    if (isNow(to)) await page.keyboard.up(key)
  }
  for (const [at, words] of WORDS) {
    if (isNow(at)) await page.keyboard.press('/')
    const letter = Math.round((second - at - 0.5) * FRAMES_PER_SECOND)
    const perFrame = LETTERS_PER_SECOND / FRAMES_PER_SECOND
    if (letter >= 0) {
      const part = words.slice(Math.floor(letter * perFrame), Math.floor((letter + 1) * perFrame))
      if (part) await page.keyboard.type(part)
    }
    const entered = at + 1 + Math.ceil((words.length / LETTERS_PER_SECOND) * 10) / 10
    if (isNow(entered)) await page.keyboard.press('Enter')
    // A second is what the encoder has to read them; the clock stands while a slower machine still does.
    if (isNow(entered + 1))
      await page.waitForFunction(() => window.oneiro?.state().reading === null, undefined, WAIT)
  }
  if (isNow(RUN_AT)) await page.keyboard.press('g')
}

/** Lets the page's clock go on by a tick, and waits for the dream where it plays. */
async function tick(page: Page): Promise<void> {
  const now = () => page.evaluate(() => window.oneiro!.state().tick)
  const before = await now()
  await page.clock.runFor(TICK_MS)
  // Where it waits for something, as for a run to begin, its clock goes on without a tick.
  const patience = Date.now() + PATIENCE_MS
  while ((await now()) === before && Date.now() < patience)
    await new Promise((resolve) => setTimeout(resolve, 10))
}

async function write(folder: string, frames: number): Promise<void> {
  const docs = join(root, 'docs')
  await mkdir(docs, { recursive: true })
  const out = join(docs, 'first-minute.mp4')
  const input = [
    '-y',
    '-loglevel',
    'error',
    '-framerate',
    `${FRAMES_PER_SECOND}`,
    '-i',
    join(folder, '%04d.jpg'),
  ]
  for (let crf = 30; crf < 46; crf += 3) {
    const video = ['-vf', 'scale=768:-2', '-c:v', 'libx264', '-preset', 'medium', '-crf', `${crf}`]
    ffmpeg([...input, ...video, '-pix_fmt', 'yuv420p', '-movflags', '+faststart', out])
    if ((await stat(out)).size < MOST_BYTES) break
  }
  if ((await stat(out)).size >= MOST_BYTES)
    throw new Error(`${out} weighs more than ${MOST_BYTES} bytes at any quality.`)
  const shown = join(folder, `${String(Math.floor(frames * 0.2)).padStart(4, '0')}.jpg`)
  ffmpeg([
    '-y',
    '-loglevel',
    'error',
    '-i',
    shown,
    '-vf',
    'scale=960:-2',
    '-quality',
    '70',
    join(docs, 'first-minute.webp'),
  ])
  console.log(`${frames} frames, ${((await stat(out)).size / 1e6).toFixed(2)} MB`)
}

function ffmpeg(options: string[]): void {
  const { status } = spawnSync('ffmpeg', options, { stdio: 'inherit' })
  if (status !== 0) throw new Error('ffmpeg did not write the film. Install it, with libx264.')
}

film().catch((error) => {
  console.error(error)
  process.exitCode = 1
})
