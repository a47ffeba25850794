/** What only shows in the built page, and only where the world around it is not as on the machine that built it. */
import { expect, type Page, test } from 'playwright/test'
import { type Site, serveBuilt } from './built'
import { losableGraphics, reach, state, step, until, wake } from './page-driver'

test.describe.configure({ timeout: 300_000 })

const ISOLATED = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
}
/** As strict as the page allows: nothing inline, no `eval`, nothing from elsewhere. */
const CSP = [
  "default-src 'self'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "worker-src 'self' blob:",
  "connect-src 'self' ws: wss: data: blob:",
].join('; ')

const sites: Site[] = []
async function site(prefix = '/', headers: Record<string, string> = ISOLATED): Promise<Site> {
  const made = await serveBuilt(prefix, headers)
  sites.push(made)
  return made
}
test.afterEach(() => Promise.all(sites.splice(0).map((one) => one.close())))

async function open(page: Page, { url }: Site, query: Record<string, string> = {}): Promise<void> {
  await page.setViewportSize({ width: 720, height: 450 })
  const params = new URLSearchParams({ backend: 'wasm', clock: 'lockstep', seed: '7', cruise: '0', ...query })
  await page.goto(`${url}?${params}`)
  await page.waitForFunction(() => window.oneiro?.state().phase !== 'loading', undefined, {
    timeout: 120_000,
  })
}

/** Waits until the service worker keeps the whole page. */
async function keptWhole(page: Page): Promise<void> {
  const isKept = () =>
    page.evaluate(async () => (await caches.match(new URL('./', location.href).href)) !== undefined)
  await expect.poll(isKept, { timeout: 120_000 }).toBe(true)
}

test('under a sub-path of a plain host, without COOP and COEP, it plays, opens the arena, and plays offline', async ({
  page,
  context,
}) => {
  const there = await site('/demo/', {})
  await open(page, there)
  await until(page, { shown: 'dream', backend: 'WASM', failure: null })
  expect(await step(page)).toBe(1)
  await page.evaluate(() => window.oneiro!.setPrompt('camels in the moonlight'))
  await keptWhole(page)
  // The service worker isolates what the host does not: threads from the second visit on.
  expect(await page.evaluate(() => crossOriginIsolated)).toBe(false)
  await open(page, there)
  await until(page, { shown: 'dream', failure: null })
  expect(await page.evaluate(() => crossOriginIsolated)).toBe(true)
  expect(await step(page)).toBe(1)
  await page.goto(`${there.url}arena/?a=../assets/drive/&b=../assets/drive/`)
  await expect(page.locator('#app')).toHaveAttribute('data-arena', /./)
  await context.setOffline(true)
  await open(page, there)
  await until(page, { shown: 'dream', failure: null })
  expect(await step(page)).toBe(1)
})

test('under a strict Content-Security-Policy it plays and shows its instruments', async ({ page }) => {
  const refused: string[] = []
  page.on('console', (message) => {
    if (/Content Security Policy|unsafe-eval/.test(message.text())) refused.push(message.text())
  })
  const there = await site('/', { ...ISOLATED, 'Content-Security-Policy': CSP })
  await open(page, there, { hud: '1', stage: 'webgl' })
  await expect(page.locator('.hud canvas')).toBeVisible({ timeout: 60_000 })
  expect(await step(page)).toBe(1)
  await page.getByRole('radio', { name: 'Simulator' }).click()
  await until(page, { shown: 'simulator', failure: null })
  expect(refused).toEqual([])
})

test('one 503 for each chunk that loads later costs nothing', async ({ page }) => {
  const there = await site()
  const first = new Set<string>()
  let later = false
  there.answer = (path, count) => {
    if (!path.startsWith('app/') || path.endsWith('.json')) return null
    if (!later) first.add(path)
    return later && !first.has(path) && count === 1 ? 503 : null
  }
  await open(page, there, { world: 'simulator', stage: 'flat' })
  later = true
  await page.evaluate(() => window.oneiro!.setView('dream'))
  await until(page, { shown: 'dream', failure: null })
  await page.keyboard.press('h')
  await expect(page.locator('.hud canvas')).toBeVisible({ timeout: 60_000 })
  expect(await step(page)).toBe(1)
  expect(there.asked.filter((path) => /^app\/(dream-worker|hud)-/.test(path)).length).toBeGreaterThan(2)
})

test('nor does it in a browser that remembers which modules failed, and the part is kept for a visit without a connection', async ({
  page,
  context,
}) => {
  const there = await site()
  const first = new Set<string>()
  const scripts = /^app\/(?!dream-worker|worker|remote-worker).*\.js$/
  let later = false
  there.answer = (path, _, again) => {
    if (!scripts.test(path)) return null
    if (!later) first.add(path)
    // As such a browser does, for ever; the page is only reached by another address.
    return later && !first.has(path) && !again ? 503 : null
  }
  await open(page, there, { world: 'simulator', stage: 'flat' })
  later = true
  await page.evaluate(() => window.oneiro!.setView('dream'))
  await until(page, { shown: 'dream', failure: null })
  await page.keyboard.press('h')
  await expect(page.locator('.hud canvas')).toBeVisible({ timeout: 60_000 })
  await page.evaluate(() => window.oneiro!.setPrompt('camels in the moonlight'))
  expect(await step(page)).toBe(1)
  there.answer = () => null
  await open(page, there)
  await keptWhole(page)
  const files = (await (await fetch(`${there.url}app/files.json`)).json()) as string[]
  const hud = files.find((file) => file.startsWith('app/hud-'))!
  await context.setOffline(true)
  const kept = await page.evaluate(async (path) => (await fetch(`${path}?again=1`)).ok, hud)
  expect(kept).toBe(true)
})

test('where a newer build was deployed meanwhile, the page says so and loads it', async ({ page }) => {
  const there = await site()
  await open(page, there, { world: 'simulator', stage: 'flat' })
  there.answer = (path) => {
    if (path === 'app/files.json') return '["app/index-NEWER.js"]'
    return path.startsWith('app/') ? 404 : null
  }
  await page.evaluate(() => window.oneiro!.setView('dream'))
  const card = page.locator('.failure')
  await expect(card).toHaveAttribute('data-code', 'NEWER_PAGE', { timeout: 60_000 })
  await page.evaluate(() => window.oneiro!.store.setState({ hud: true }))
  await expect(page.locator('.notice', { hasText: 'newer page' })).toBeVisible({ timeout: 30_000 })
  there.answer = () => null
  await card.getByRole('button', { name: 'Load the page again' }).click()
  await page.waitForFunction(() => window.oneiro?.state().phase === 'ready', undefined, { timeout: 90_000 })
})

test('a network that accepts and never answers is not waited for, where everything is kept', async ({
  page,
}) => {
  const there = await site()
  await open(page, there)
  await keptWhole(page)
  there.answer = () => 'silence'
  const started = Date.now()
  await page.goto(there.url, { waitUntil: 'commit' })
  // Four seconds of patience, and what a busy machine adds.
  expect(Date.now() - started).toBeLessThan(20_000)
  await open(page, there)
  await until(page, { shown: 'dream', failure: null })
  expect(await step(page)).toBe(1)
  expect(there.asked.filter((path) => path === 'assets/drive/world.json').length).toBeGreaterThan(1)
})

test('what is said in the middle lies in the middle', async ({ page }) => {
  const there = await site()
  await open(page, there, { clock: 'realtime' })
  await reach(page, 2)
  await page.keyboard.press('Space')
  const middle = async (selector: string) => {
    const box = (await page.locator(selector).boundingBox())!
    return box.x + box.width / 2
  }
  await expect(page.locator('.status.on')).toBeVisible()
  await expect.poll(() => middle('.status')).toBeCloseTo(360, 0)
  await page.evaluate(() => window.oneiro!.setPlace('server'))
  await expect.poll(() => middle('.notices')).toBeCloseTo(360, 0)
})

test('controls stay while the keyboard has them, and fade when it does not', async ({ page }) => {
  const there = await site()
  await open(page, there, { clock: 'realtime' })
  await page.evaluate(() => window.oneiro!.play())
  await page.getByRole('button', { name: 'Begin again' }).focus()
  await page.keyboard.press('Tab')
  await page.keyboard.press('Shift+Tab')
  await page.waitForTimeout(6000)
  expect((await state(page)).quiet).toBe(false)
  await expect(page.locator('.deck')).toHaveCSS('opacity', '1')
  await page.evaluate(() => (document.activeElement as HTMLElement).blur())
  await until(page, { quiet: true })
})

test('graphics that the browser takes and keeps are done without, in a sentence', async ({ page }) => {
  const lose = await losableGraphics(page)
  const there = await site()
  await open(page, there, { world: 'simulator', stage: 'webgl', hud: '1' })
  await expect(page.locator('.hud canvas')).toBeVisible({ timeout: 60_000 })
  expect(await step(page)).toBe(1)
  await lose()
  await test.step('the simulator draws again, the picture is another stage, the instruments say why they went', async () => {
    expect(await step(page)).toBe(2)
    const frame = await page.evaluate(async () => [...(await window.oneiro!.readPixels()).data])
    expect(new Set(frame).size).toBeGreaterThan(16)
    await expect(page.locator('.notice', { hasText: 'drawn in a simpler way' })).toBeVisible({
      timeout: 20_000,
    })
    await expect(page.locator('.stage-canvas')).toHaveCount(0)
    await expect(page.locator('canvas.stage-own').nth(1)).toBeVisible()
    await expect(page.locator('.hud canvas')).toHaveCount(0)
    expect((await state(page)).hud).toBe(false)
  })
  await test.step('and they come back where they are asked for', async () => {
    await wake(page)
    await page.keyboard.press('h')
    await expect(page.locator('.hud canvas')).toBeVisible({ timeout: 60_000 })
  })
})
