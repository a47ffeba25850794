import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, type Page } from 'playwright/test'
import type { AppState } from '../src/app/store'
import type { AgentHandle } from '../src/app/window-handle'
import type { Action } from '../src/engine/controls'

declare global {
  interface Window {
    oneiro?: AgentHandle
  }
}

const TINY = fileURLToPath(new URL('./fixtures/tiny/', import.meta.url))
/** Where the tiny world pretends to be served. */
const TINY_URL = '/fixture-worlds/tiny/'

/** Changes one file of the tiny world on its way: other bytes, or null for a file that is not there. */
export type Tamper = (file: string, bytes: Buffer) => Buffer | null

/** Serves the tiny world to the page. Its network has random weights: everything runs, nothing looks like a road. */
export async function serveTiny(page: Page, tamper?: Tamper): Promise<void> {
  await serveFolder(page, TINY, TINY_URL, tamper)
}

/** Serves a world's folder to the page, at a path. */
export async function serveFolder(
  page: Page,
  folder: string,
  path: string,
  tamper: Tamper = (_, bytes) => bytes,
): Promise<void> {
  await page.route(`**${path}*`, async (route) => {
    const file = new URL(route.request().url()).pathname.slice(path.length)
    const bytes = await readFile(join(folder, file)).catch(() => null)
    const body = bytes && tamper(file, bytes)
    if (body) await route.fulfill({ body, contentType: 'application/octet-stream' })
    else await route.fulfill({ status: 404, body: 'not here' })
  })
}

/** Opens the page, small so that software rendering leaves time for the rest, and waits for its first frame. */
export async function openPage(page: Page, query: Record<string, string> = {}): Promise<void> {
  await page.setViewportSize({ width: 720, height: 450 })
  const params = new URLSearchParams({ assets: TINY_URL, seed: '7', cruise: '0', ...query })
  await page.goto(`/?${params}`)
  await page.waitForFunction(() => window.oneiro?.state().phase === 'ready', undefined, { timeout: 300_000 })
}

/** Waits until a part of the page's state is as wanted. */
export async function until(page: Page, wanted: Partial<AppState>): Promise<void> {
  await expect.poll(() => state(page), { timeout: 90_000 }).toMatchObject(wanted)
}

/** Brings the controls back, as any movement of the pointer does. */
export async function wake(page: Page): Promise<void> {
  await page.mouse.move(300, 200)
  await page.mouse.move(310, 205)
  await until(page, { quiet: false })
}

export function state(page: Page): Promise<AppState> {
  return page.evaluate(() => window.oneiro!.state())
}

/** Advances `count` ticks in lockstep and gives the index of the last. */
export function step(page: Page, action: Action = { steer: 0, throttle: 1 }, count = 1): Promise<number> {
  return page.evaluate(
    async ({ action, count }) => {
      let index = -1
      for (let i = 0; i < count; i++) index = (await window.oneiro!.step(action))?.index ?? -1
      return index
    },
    { action, count },
  )
}

/** The newest frame's pixels, RGBA. */
export async function pixels(page: Page): Promise<number[]> {
  return page.evaluate(async () => [...(await window.oneiro!.readPixels()).data])
}

/** Mean absolute difference of two frames, 0..255. */
export function difference(a: readonly number[], b: readonly number[]): number {
  expect(a).toHaveLength(b.length)
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += Math.abs(a[i]! - b[i]!)
  return sum / a.length
}

/** Waits until the drive has come at least to a tick. */
export async function reach(page: Page, tick: number): Promise<void> {
  await page.waitForFunction((wanted) => window.oneiro!.state().tick >= wanted, tick, { timeout: 60_000 })
}

/** Remembers what the page draws with on a GPU, from its next visit on, and gives the means to take all of it away. */
export async function losableGraphics(page: Page): Promise<() => Promise<void>> {
  await page.addInitScript(() => {
    const getContext = HTMLCanvasElement.prototype.getContext as (...args: unknown[]) => unknown
    Object.assign(window, { contexts: new Set() })
    HTMLCanvasElement.prototype.getContext = function (this: HTMLCanvasElement, ...args: unknown[]) {
      const context = getContext.apply(this, args)
      if (context instanceof WebGL2RenderingContext) Object(window).contexts.add(context)
      return context
    } as never
  })
  return () =>
    page.evaluate(() => {
      for (const gl of Object(window).contexts) gl.getExtension('WEBGL_lose_context')?.loseContext()
      Object(window).contexts.clear()
    })
}
