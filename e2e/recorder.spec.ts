/** The page that `npm run record` opens, from the sources as there. */
import type { AddressInfo } from 'node:net'
import { expect, test } from 'playwright/test'
import { createServer, type ViteDevServer } from 'vite'
import { losableGraphics } from './page-driver'

let vite: ViteDevServer
test.beforeAll(async () => {
  vite = await createServer({
    logLevel: 'error',
    server: { port: 0, host: '127.0.0.1', hmr: false, watch: null },
  })
  await vite.listen()
})
test.afterAll(() => vite.close())

test('an episode that was drawn without graphics is refused, and the next visit records it', async ({
  page,
}) => {
  const lose = await losableGraphics(page)
  let saved = 0
  await page.route('**/sink', (route) => {
    saved++
    return route.fulfill({ status: 200, body: 'saved' })
  })
  const { port } = vite.httpServer!.address() as AddressInfo
  const url = `http://127.0.0.1:${port}/src/scene/drive/recorder/index.html`
  const record = () =>
    page.evaluate(
      (url) => Object(window).recordOne({ seed: 5, ticks: 30 }, `${new URL(url).origin}/sink`),
      url,
    )
  await page.goto(url)
  await page.waitForFunction(() => 'recordOne' in window)
  await lose()
  await expect(record()).rejects.toThrow(/episode 5 .* was not saved/)
  expect(saved).toBe(0)
  await page.goto(url)
  await page.waitForFunction(() => 'recordOne' in window)
  expect(await record()).toBeGreaterThan(0)
  expect(saved).toBe(1)
})
