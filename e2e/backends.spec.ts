import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, type Page, test } from 'playwright/test'
import { spaceOf } from '../src/engine/controls'
import { openDreamNode } from '../src/model/node'
import { openPromptEncoderNode } from '../src/model/prompt/node'
import { halfTinyFiles } from '../src/model/testing'
import type { Harness } from './harness/main'
import { type HarnessServer, startHarness } from './harness/server'

const TINY = 'e2e/fixtures/tiny'
const TICKS = 6
/** ONEIRO_LONG=1 plays as long as the project promises, which takes minutes. */
const LONG = process.env.ONEIRO_LONG === '1'
const LONG_PLAY = { wasm: LONG ? 10_000 : 4_000, webgpu: LONG ? 10_000 : 40 }
let server: HarnessServer

/** The tiny world with a state at half precision. */
const half = mkdtempSync(join(tmpdir(), 'oneiro-half-'))

test.beforeAll(async () => {
  for (const [name, bytes] of halfTinyFiles()) writeFileSync(join(half, name), bytes)
  server = await startHarness({ tiny: TINY, half, 'prompt-encoder': 'assets/prompt-encoder' })
})
test.afterAll(async () => {
  await server.close()
  rmSync(half, { recursive: true })
})
test.beforeEach(async ({ page }) => {
  server.faults.clear()
  await page.goto(server.url)
})

type Want = 'auto' | 'webgpu' | 'wasm'

/** Opens the tiny world, or another, in the page as `window.opened`. */
function open(page: Page, backend: Want, threads?: number, world = 'tiny') {
  return page.evaluate(
    async ([backend, threads, world]) => {
      const opened = await window.harness.open({ url: `worlds/${world}/`, backend, threads })
      Object.assign(window, { opened })
      return { backend: opened.dream.info.backend, phases: opened.phases, events: opened.events }
    },
    [backend, threads, world] as const,
  )
}

declare global {
  interface Performance {
    /** Measures after a garbage collection, workers included; only where the page is cross-origin isolated. */
    measureUserAgentSpecificMemory(): Promise<{ bytes: number }>
  }
}
declare const opened: Awaited<ReturnType<Harness['open']>>

/** Bytes of the frame some ticks after a reset with seed 12, played here in Node. */
async function framesInNode(world = TINY): Promise<Uint8ClampedArray[]> {
  const dream = await openDreamNode(world, { threads: 1 })
  await dream.reset({ seed: 12 })
  const frames: Uint8ClampedArray[] = []
  for (let i = 0; i < TICKS; i++)
    frames.push((await dream.step(spaceOf(dream.info.controls).action((i * 5 + 3) % 9))).frame!.data)
  await dream.close()
  return frames
}

async function framesInPage(page: Page): Promise<number[][]> {
  return page.evaluate(async (ticks) => {
    await opened.dream.reset({ seed: 12 })
    const frames: number[][] = []
    for (let i = 0; i < ticks; i++) {
      const { frame } = await opened.dream.step(window.harness.action(opened.dream, i))
      frames.push([...(frame ?? (await opened.dream.readPixels())).data])
    }
    return frames
  }, TICKS)
}

function mostApart(a: ArrayLike<number>[], b: ArrayLike<number>[]): number {
  let most = 0
  for (let i = 0; i < TICKS; i++) {
    for (let k = 0; k < a[i]!.length; k++) most = Math.max(most, Math.abs(a[i]![k]! - b[i]![k]!))
  }
  return most
}

test('WASM makes the frames that Node makes', async ({ page }) => {
  const { backend, phases } = await open(page, 'wasm', 1)
  expect(backend).toBe('wasm')
  expect(phases).toEqual(['manifest', 'download', 'compile', 'self-test', 'calibrate', 'ready'])
  expect(mostApart(await framesInPage(page), await framesInNode())).toBeLessThanOrEqual(1)
})

test('WASM makes the same frames twice, with one thread and with two', async ({ page }) => {
  const run = () =>
    page.evaluate(async () => {
      await opened.dream.reset({ seed: 5 })
      return window.harness.play(opened.dream, 0, 20)
    })
  await open(page, 'wasm', 1)
  const once = await run()
  expect(new Set(once).size).toBe(20)
  expect(await run()).toEqual(once)
  await open(page, 'wasm', 2)
  expect((await page.evaluate(() => opened.dream.stats())).threads).toBe(2)
  const two = await run()
  expect(await run()).toEqual(two)
})

/** Frames after a snapshot: played on, and played from the snapshot. */
function onAndAgain(page: Page) {
  return page.evaluate(async () => {
    const { dream } = opened
    await dream.reset({ seed: 8 })
    await window.harness.play(dream, 0, 3)
    const snapshot = await dream.snapshot()
    const on = await window.harness.play(dream, 3, 3)
    await dream.restore(JSON.parse(JSON.stringify(snapshot)))
    const again = await window.harness.play(dream, 3, 3)
    return { on, again, halves: snapshot.state.halfLatents instanceof Uint16Array }
  })
}

test('WASM keeps a state at half precision as Node does, and a snapshot is all of it', async ({ page }) => {
  await open(page, 'wasm', 1, 'half')
  expect(mostApart(await framesInPage(page), await framesInNode(half))).toBeLessThanOrEqual(1)
  const { on, again, halves } = await onAndAgain(page)
  expect(halves).toBe(true)
  expect(again).toEqual(on)
})

test('auto falls to WASM without a GPU and says why', async ({ page }) => {
  const { backend, events } = await open(page, 'auto')
  expect(backend).toBe('wasm')
  expect(events).toMatchObject([{ type: 'notice', code: 'NO_WEBGPU' }])
})

test('asking for WebGPU where there is none is refused with advice', async ({ page }) => {
  await expect(open(page, 'webgpu')).rejects.toThrow(/WebGPU cannot be used here.*wasm/)
})

for (const [file, fault, message] of [
  ['student.onnx', 'missing', /student\.onnx is missing/],
  ['world.json', 'missing', /world\.json is missing/],
  ['decoder.onnx', 'truncated', /decoder\.onnx is damaged: it is truncated/],
  ['starts.safetensors', 'altered', /starts\.safetensors is damaged: it was altered/],
  ['world.json', 'version', /version 2, but this build reads version 1/],
] as const) {
  test(`${file} ${fault} has its sentence`, async ({ page }) => {
    server.faults.set(`worlds/tiny/${file}`, fault)
    await expect(open(page, 'wasm')).rejects.toThrow(message)
  })
}

test('a second visit loads the files from the cache, and plays when the world cannot be reached', async ({
  page,
}) => {
  await open(page, 'wasm', 1)
  await page.reload()
  const before = server.asked.length
  await page.route('**/worlds/**', (route) => route.abort())
  const { events } = await open(page, 'wasm', 1)
  expect(events).toMatchObject([{ type: 'notice', code: 'OFFLINE' }])
  expect(server.asked.slice(before).filter((path) => path.startsWith('worlds/'))).toEqual([])
  expect((await framesInPage(page)).length).toBe(TICKS)
})

test('a full cache costs a notice and not the game', async ({ page }) => {
  const cdp = await page.context().newCDPSession(page)
  const origin = new URL(server.url).origin
  await cdp.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 1000 })
  const { events } = await open(page, 'wasm', 1)
  expect(events).toMatchObject([{ type: 'notice', code: 'CACHE_FULL' }])
  expect((await framesInPage(page)).length).toBe(TICKS)
  await cdp.send('Storage.overrideQuotaForOrigin', { origin })
})

test('free words reach the dream through the sentence encoder, and play goes on meanwhile', async ({
  page,
}) => {
  await open(page, 'wasm', 1)
  const { meanwhile, prompt, changed } = await page.evaluate(async () => {
    const { dream } = opened
    await dream.reset({ seed: 3 })
    let done = false
    const words = dream.setPrompt('an icy road under the moon').then(() => {
      done = true
    })
    let meanwhile = 0
    for (; !done; meanwhile++) await dream.step({ steer: 0, throttle: 1 })
    await words
    const { prompt, ...rest } = await dream.snapshot()
    const [after] = await window.harness.play(dream, 0, 1)
    await dream.restore({ ...rest, prompt: { text: 'a snowy night drive', embedding: null } })
    const [other] = await window.harness.play(dream, 0, 1)
    return { meanwhile, prompt: [...prompt!.embedding!], changed: after !== other }
  })
  expect(meanwhile).toBeGreaterThan(3)
  expect(Math.hypot(...prompt)).toBeCloseTo(1, 3)
  expect(changed).toBe(true)
  const encoder = openPromptEncoderNode({ folder: 'assets/prompt-encoder' })
  const inNode = await encoder.encode('an icy road under the moon')
  await encoder.dispose()
  expect(prompt.reduce((sum, value, i) => sum + value * inNode[i]!, 0)).toBeGreaterThan(0.999)
})

test('errors keep their class over the worker, and close refuses what comes after', async ({ page }) => {
  await open(page, 'wasm', 1)
  const codes = await page.evaluate(async () => {
    const { dream } = opened
    const code = (call: Promise<unknown>) =>
      call.then(
        () => 'none',
        (error) => error.code,
      )
    const codes = [await code(dream.step({ steer: 0, throttle: 0 })), await code(dream.reset({ seed: -1 }))]
    await dream.reset({ seed: 1 })
    codes.push(await code(dream.restore({ ...(await dream.snapshot()), modelHash: 'x' })))
    codes.push(await code(window.harness.attach(dream)))
    await Promise.all([dream.close(), dream.close()])
    return [...codes, await code(dream.step({ steer: 0, throttle: 0 }))]
  })
  expect(codes).toEqual(['NOT_READY', 'BAD_INPUT', 'SNAPSHOT_MISMATCH', 'BAD_INPUT', 'WORLD_CLOSED'])
})

test('a worker that dies is replaced from its last checkpoint', async ({ page }) => {
  await open(page, 'wasm', 1)
  const result = await page.evaluate(async () => {
    const { dream, events } = opened
    const { epoch } = await dream.reset({ seed: 2 })
    await window.harness.play(dream, 0, 45)
    // The page's own way to make the worker's script fail: there is no other handle on it.
    const port = await (dream as unknown as { port: Promise<{ lose(error: Error): void }> }).port
    port.lose(Object.assign(new Error('a test ended it'), { code: 'WORKER_FAILED' }))
    const tick = await dream.step({ steer: 0, throttle: 0 })
    return { events: events.map(({ type }) => type), index: tick.index, grew: tick.epoch > epoch }
  })
  expect(result).toEqual({ events: ['stalled', 'recovered'], index: 41, grew: true })
})

test(`memory stays flat over ${LONG_PLAY.wasm} ticks, worker included`, async ({ page }) => {
  if (LONG) test.setTimeout(1_800_000)
  await open(page, 'wasm', 1)
  const megabytes = () =>
    page.evaluate(async () => {
      const { bytes } = await performance.measureUserAgentSpecificMemory()
      return bytes / 2 ** 20
    })
  const play = (ticks: number) =>
    page.evaluate(async (ticks) => {
      for (let i = 0; i < ticks; i++) await opened.dream.step(window.harness.action(opened.dream, i))
    }, ticks)
  await page.evaluate(() => opened.dream.reset({ seed: 1 }))
  await play(500)
  const early = await megabytes()
  // With the memory of the WASM module: the worker is counted.
  expect(early).toBeGreaterThan(16)
  await play(LONG_PLAY.wasm)
  // A frame kept by mistake would be 240 MB by now, a latent 30 MB, an action with its tick 0.5 MB.
  expect((await megabytes()) - early).toBeLessThan(0.4)
})

test('@webgpu auto prefers WASM to a software adapter', async ({ page }) => {
  expect((await open(page, 'auto')).backend).toBe('wasm')
})

// One page for all: a software adapter takes long to compile the graphs.
test.describe
  .serial('@webgpu one dream', () => {
    let page: Page
    test.beforeAll(async ({ browser }) => {
      page = await browser.newPage()
      await page.goto(server.url)
    })
    test.afterAll(() => page.close())

    test('makes the frames that Node makes, with a captured graph', async () => {
      const { backend, events } = await open(page, 'webgpu')
      expect(backend).toBe('webgpu')
      // A graph that could not be captured, or a GPU that failed, would have told so.
      expect(events).toEqual([])
      expect(mostApart(await framesInPage(page), await framesInNode())).toBeLessThanOrEqual(1)
    })

    test('shows frames on the canvas, upright and without a readback', async () => {
      const pixels = await page.evaluate(async () => {
        const { dream } = opened
        await window.harness.attach(dream)
        await dream.reset({ seed: 12 })
        const tick = await dream.step({ steer: 1, throttle: 1 })
        if (tick.frame) throw new Error('a WebGPU tick carries no pixels')
        return [...(await dream.readPixels()).data]
      })
      // The compositor may show a frame later than the tick that drew it.
      await expect
        .poll(async () => apart(pixels, await canvasAsFrame(page)), { timeout: 90_000 })
        .toBeLessThan(6)
      expect(apart(pixels, upsideDown(await canvasAsFrame(page)))).toBeGreaterThan(12)
    })

    test('crops a frame to a canvas of another shape, or shows all of it', async () => {
      const dark = async (fit: 'cover' | 'contain') => {
        await page.evaluate((fit) => opened.dream.resizeCanvas(384, 384, fit), fit)
        const seen = await canvasAsFrame(page)
        let count = 0
        for (let i = 0; i < seen.length; i += 4) if (seen[i]! + seen[i + 1]! + seen[i + 2]! < 12) count++
        return count / (160 * 96)
      }
      await expect.poll(() => dark('cover'), { timeout: 60_000 }).toBeLessThan(0.01)
      // Bars above and below: a frame of 5:3 leaves two fifths of a square.
      await expect.poll(() => dark('contain'), { timeout: 60_000 }).toBeCloseTo(0.4, 1)
      await page.evaluate(() => opened.dream.resizeCanvas(640, 384))
    })

    test(`holds the same buffers after ${LONG_PLAY.webgpu} more ticks`, async () => {
      if (LONG) test.setTimeout(3_600_000)
      const early = await page.evaluate(async () => {
        await opened.dream.reset({ seed: 1 })
        await window.harness.play(opened.dream, 0, 5)
        return opened.dream.stats()
      })
      for (let played = 0; played < LONG_PLAY.webgpu; played += 40) {
        const now = await page.evaluate(async () => {
          const { dream } = opened
          for (let i = 0; i < 40; i++) await dream.step({ steer: 0, throttle: 1 })
          // Waits for the queue, and so for the copy of a checkpoint that may be under way.
          await dream.readPixels()
          return dream.stats()
        })
        expect([played, now.tensors, now.gpuBuffers]).toEqual([played, early.tensors, early.gpuBuffers])
        if (LONG && played % 400 === 0) console.log(`${played + 40} ticks, ${now.gpuBuffers} buffers`)
      }
    })

    test('makes snapshots that play on in WASM', async () => {
      const most = await page.evaluate(async () => {
        const { dream } = opened
        await dream.reset({ seed: 4 })
        await window.harness.play(dream, 0, 3)
        const snapshot = await dream.snapshot()
        await dream.step({ steer: 1, throttle: 1 })
        const here = (await dream.readPixels()).data
        const { dream: other } = await window.harness.open({
          url: 'worlds/tiny/',
          backend: 'wasm',
          threads: 1,
        })
        await other.restore(snapshot)
        const there = (await other.step({ steer: 1, throttle: 1 })).frame!.data
        await other.close()
        return Math.max(...here.map((value, i) => Math.abs(value - there[i]!)))
      })
      expect(most).toBeLessThanOrEqual(1)
    })

    test('keeps a state at half precision, and a snapshot is all of it', async ({ browser }) => {
      const other = await browser.newPage()
      await other.goto(server.url)
      expect(await open(other, 'webgpu', undefined, 'half')).toMatchObject({ backend: 'webgpu', events: [] })
      expect(mostApart(await framesInPage(other), await framesInNode(half))).toBeLessThanOrEqual(1)
      const { on, again, halves } = await onAndAgain(other)
      expect(halves).toBe(true)
      expect(again).toEqual(on)
      await other.close()
    })

    test('loses no tick with its device, and the canvas comes back', async () => {
      const result = await page.evaluate(async () => {
        const { dream, events } = opened
        await dream.reset({ seed: 9 })
        const calm = await window.harness.play(dream, 0, 8)
        await dream.reset({ seed: 9 })
        const first = await window.harness.play(dream, 0, 5)
        await dream.loseDevice()
        const rest = await window.harness.play(dream, 5, 3)
        return {
          calm,
          played: [...first, ...rest],
          events: events.map(({ type }) => type),
          losses: (await dream.stats()).deviceLosses,
          pixels: [...(await dream.readPixels()).data],
        }
      })
      expect(result.played).toEqual(result.calm)
      expect(result.events).toEqual(['device-lost', 'recovered'])
      expect(result.losses).toBe(1)
      await expect
        .poll(async () => apart(result.pixels, await canvasAsFrame(page)), { timeout: 90_000 })
        .toBeLessThan(6)
    })
  })

/** What the screen shows where the canvas is, shrunk to the size of a frame. */
async function canvasAsFrame(page: Page): Promise<number[]> {
  const shot = await page.locator('canvas').screenshot()
  return page.evaluate(async (base64) => {
    const image = new Image()
    image.src = `data:image/png;base64,${base64}`
    await image.decode()
    const context = new OffscreenCanvas(160, 96).getContext('2d')!
    context.imageSmoothingQuality = 'high'
    context.drawImage(image, 0, 0, 160, 96)
    return [...context.getImageData(0, 0, 160, 96).data]
  }, shot.toString('base64'))
}

function upsideDown(pixels: number[]): number[] {
  const rows = Array.from({ length: 96 }, (_, row) => pixels.slice(row * 640, row * 640 + 640))
  return rows.reverse().flat()
}

/** Mean difference of two frames, 0..255. */
function apart(a: number[], b: number[]): number {
  return a.reduce((sum, value, i) => sum + Math.abs(value - b[i]!), 0) / a.length
}
