/** What a visitor pays for the page that ships: bytes on the way, and time until the first dreamed frame. */
import { gzipSync } from 'node:zlib'
import { expect, test } from 'playwright/test'
import { serveBuilt } from './built'
import { busyness } from './busyness'
import { reach } from './page-driver'

const RUNTIME = /ort[-.]|onnxruntime/

test('playing a preset loads little, and the first frame comes soon', async ({ page }) => {
  test.setTimeout(300_000)
  const bodies: Promise<{ path: string; body: Buffer }>[] = []
  page.on('response', (response) => {
    const path = new URL(response.url()).pathname
    if (response.ok()) bodies.push(response.body().then((body) => ({ path, body })))
  })
  // A host that compresses nothing: what lies there is what is sent.
  const host = await serveBuilt('/', {
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Embedder-Policy': 'require-corp',
  })
  await page.goto(`${host.url}?backend=wasm`)
  await page.waitForFunction(() => window.oneiro?.state().phase === 'ready', undefined, { timeout: 120_000 })
  const firstFrameMs = await page.evaluate(() => performance.now())
  await reach(page, 3)
  const loaded = await Promise.all(bodies)
  await host.close()
  const paths = loaded.map(({ path }) => path)
  expect(paths).toEqual(expect.arrayContaining([expect.stringMatching(/student\.onnx/)]))
  const bytes = loaded.reduce((sum, { body }) => sum + body.length, 0)
  const scripts = loaded.filter(({ path }) => path.endsWith('.js') && !RUNTIME.test(path))
  const gzipped = scripts.reduce((sum, { body }) => sum + gzipSync(body).length, 0)
  console.log(
    `first frame ${(firstFrameMs / 1000).toFixed(1)} s, ${(bytes / 1e6).toFixed(1)} MB, JavaScript ${(gzipped / 1e3).toFixed(0)} kB gzipped`,
  )
  expect(scripts.length).toBeGreaterThan(1)
  expect(bytes).toBeLessThan(20e6)
  expect(gzipped).toBeLessThan(600e3)
  // What the page loads of its own, beside three and pixi, which come when they are needed.
  const own = scripts.filter(({ path }) => !/\/(three\.module|hud|browserAll|webworkerAll|init)-/.test(path))
  const ownGzipped = own.reduce((sum, { body }) => sum + gzipSync(body).length, 0)
  console.log(`its own JavaScript ${(ownGzipped / 1e3).toFixed(0)} kB gzipped`)
  expect(ownGzipped).toBeLessThan(150e3)
  // 5 s are promised, on a machine that does nothing else.
  expect(firstFrameMs).toBeLessThan(20_000 * busyness())
})
