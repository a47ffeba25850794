import { readFile } from 'node:fs/promises'
import { expect, type Locator, test } from 'playwright/test'
import { readActionLog } from '../src/engine/action-log'
import { difference, openPage, pixels, reach, serveTiny, state, step, until, wake } from './page-driver'

// Software rendering, WASM and whatever else the machine does share its cores: few page loads, and patience.
test.describe.configure({ timeout: 300_000 })

test.beforeEach(({ page }) => serveTiny(page))

test('plays at once in real time, under keys that are let go when the focus is lost', async ({ page }) => {
  const requests: string[] = []
  page.on('request', (request) => requests.push(request.url()))
  await openPage(page, { backend: 'wasm' })
  await test.step('the dream moves by itself', async () => {
    await reach(page, 3)
    await until(page, { shown: 'dream', backend: 'WASM', paused: null, failure: null })
    const frame = await pixels(page)
    expect(frame).toHaveLength(160 * 96 * 4)
    expect(new Set(frame).size).toBeGreaterThan(16)
  })
  await test.step('arrows and WASD are held and let go', async () => {
    await page.keyboard.down('w')
    await page.keyboard.down('ArrowLeft')
    await until(page, { held: { steer: -1, throttle: 1 } })
    await page.keyboard.up('w')
    await until(page, { held: { steer: -1, throttle: 0 } })
  })
  await test.step('losing the focus lets go and pauses, politely', async () => {
    await page.evaluate(() => window.dispatchEvent(new Event('blur')))
    expect(await state(page)).toMatchObject({ paused: 'away', held: { steer: 0, throttle: 0 } })
    await expect(page.getByText('Paused while you were away')).toBeVisible()
    await page.evaluate(() => window.dispatchEvent(new Event('focus')))
    await until(page, { paused: null })
  })
  await test.step('pauses, steps, goes back and begins again', async () => {
    await reach(page, 12)
    await page.keyboard.press('Space')
    await until(page, { paused: 'user' })
    await page.waitForTimeout(500)
    const { tick } = await state(page)
    await page.waitForTimeout(500)
    expect((await state(page)).tick).toBe(tick)
    await page.keyboard.press('.')
    await until(page, { tick: tick + 1 })
    await page.keyboard.press('Backspace')
    await expect.poll(async () => (await state(page)).tick).toBeLessThan(tick)
    await page.keyboard.press('r')
    await until(page, { tick: 0 })
    await page.keyboard.press('Space')
    await reach(page, 2)
  })
  await test.step('a preset steers without the sentence encoder', async () => {
    await wake(page)
    await page.locator('[data-preset="a-snowy-night-drive"]').click({ timeout: 60_000 })
    await until(page, { prompt: 'a snowy night drive' })
    expect(requests.filter((url) => url.includes('prompt-encoder'))).toEqual([])
  })
  await test.step('the instruments load when first shown', async () => {
    await expect(page.locator('.hud canvas')).toHaveCount(0)
    await page.keyboard.press('h')
    await expect(page.locator('.hud canvas')).toBeVisible({ timeout: 60_000 })
  })
})

test('words that nobody wrote down are read by the world that hears them', async ({ page }) => {
  await openPage(page, { assets: '/assets/drive/', backend: 'wasm', clock: 'lockstep' })
  const free = 'take me to a desert, at midnight'
  await page.keyboard.press('/')
  await page.keyboard.type(free)
  await page.keyboard.press('Enter')
  await until(page, { prompt: free, reading: null })
  const told = await page.evaluate(async () => [...(await window.oneiro!.snapshot()).prompt!.embedding!])
  const [desert, night, noWeather] = [told[2]!, told[6 + 3]!, told[11 + 4]!]
  expect(Math.min(desert, night, noWeather)).toBeGreaterThan(0.8)
})

test('in lockstep: words turn the drive without a reset, seeds decide, worlds switch', async ({ page }) => {
  await openPage(page, { backend: 'wasm', clock: 'lockstep', stage: 'webgl' })
  await test.step('typing presses no driving keys and changes the very next frame', async () => {
    await step(page, undefined, 3)
    const fork = await page.evaluate(() => window.oneiro!.snapshot())
    const index = await step(page)
    const plain = await pixels(page)
    await page.evaluate((snapshot) => window.oneiro!.player.restore(snapshot), fork)
    expect(await step(page)).toBe(index)
    expect(difference(plain, await pixels(page))).toBe(0)
    await page.evaluate((snapshot) => window.oneiro!.player.restore(snapshot), fork)
    await page.keyboard.press('/')
    await page.keyboard.type('a snowy night drive')
    expect(await state(page)).toMatchObject({ typing: true, held: { steer: 0, throttle: 0 } })
    await page.keyboard.press('Enter')
    await until(page, { prompt: 'a snowy night drive', typing: false })
    expect(await step(page)).toBe(index)
    expect(difference(plain, await pixels(page))).toBeGreaterThan(0.5)
  })
  await test.step('the screen follows the frames', async () => {
    await page.waitForTimeout(2500)
    const before = await page.locator('.stage-canvas').screenshot()
    await step(page, { steer: 1, throttle: 1 }, 2)
    await expect(async () => {
      expect((await page.locator('.stage-canvas').screenshot()).equals(before)).toBe(false)
    }).toPass({ timeout: 60_000 })
  })
  await test.step('Escape leaves the prompt as it was', async () => {
    await page.keyboard.press('/')
    await page.keyboard.type('wasd')
    await page.keyboard.press('Escape')
    await until(page, { typing: false, prompt: 'a snowy night drive' })
    await expect(page.locator('.prompt-input')).toHaveValue('')
  })
  await test.step('the same seed and actions give the same frames, another seed others', async () => {
    const drive = async (seed: number) => {
      await page.evaluate((seed) => window.oneiro!.reset(seed), seed)
      await step(page, { steer: -1, throttle: 1 }, 4)
      return pixels(page)
    }
    const first = await drive(21)
    expect(difference(first, await drive(21))).toBe(0)
    expect(difference(first, await drive(22))).toBeGreaterThan(0)
  })
  await test.step('the simulator, both side by side, and back', async () => {
    await page.getByRole('radio', { name: 'Simulator' }).click()
    await until(page, { shown: 'simulator', backend: 'WebGL' })
    await page.getByRole('radio', { name: 'Both' }).click()
    await until(page, { shown: 'both', tick: 4 })
    expect(await step(page, { steer: 1, throttle: 1 }, 2)).toBe(6)
    await expect(page.locator('.pane-label', { hasText: 'simulator' })).toBeVisible()
    // In full bleed the pictures are larger than their halves.
    await page.keyboard.press('b')
    const [dream, simulator] = await page.locator('.pane-label').all()
    const half = page.viewportSize()!.width / 2
    const right = async (label: Locator) => ((box) => box!.x + box!.width)(await label.boundingBox())
    await expect.poll(() => right(dream!)).toBeLessThan(half)
    await expect.poll(() => right(simulator!)).toBeGreaterThan(half + 100)
    await page.keyboard.press('b')
    await page.getByRole('radio', { name: 'Dream' }).click()
    await until(page, { shown: 'dream', tick: 6, past: { from: 0, to: 6 } })
    expect(await step(page)).toBe(7)
  })
})

test('on WebGPU it plays, shows its frames on the screen, and survives a lost device', {
  tag: '@webgpu',
}, async ({ page }) => {
  await openPage(page, { backend: 'webgpu', clock: 'lockstep', stage: 'webgl' })
  await until(page, { shown: 'dream', backend: 'WebGPU' })
  const own = page.locator('canvas.stage-own')
  await expect(own).toBeVisible()
  await test.step('the screen follows the frames', async () => {
    await step(page, { steer: 0, throttle: 1 })
    // The waking picture fades in for a while after the first frame.
    await page.waitForTimeout(4000)
    const before = await own.screenshot()
    await step(page, { steer: 1, throttle: 1 }, 2)
    await expect(async () => expect((await own.screenshot()).equals(before)).toBe(false)).toPass({
      timeout: 60_000,
    })
  })
  await test.step('a lost device comes back at the same tick', async () => {
    await page.evaluate(async () => (await window.oneiro!.dream()).loseDevice())
    expect(await step(page)).toBe(4)
    await expect(page.locator('.notice').first()).toBeVisible()
    expect(await state(page)).toMatchObject({ shown: 'dream', failure: null })
  })
})

test('on WebGPU the world that ships makes the frames that it makes on WASM', {
  tag: '@webgpu',
}, async ({ page }) => {
  test.setTimeout(400_000)
  const frames: number[][] = []
  for (const backend of ['wasm', 'webgpu']) {
    await openPage(page, { assets: '/assets/drive/', backend, clock: 'lockstep' })
    await until(page, { shown: 'dream', backend: backend === 'wasm' ? 'WASM' : 'WebGPU' })
    await step(page, { steer: 0, throttle: 1 }, 2)
    frames.push(await pixels(page))
  }
  expect(difference(frames[0]!, frames[1]!)).toBeLessThan(2)
})

/** Where the red car is, in pixels from the left: rain and snow, which stay with the camera, do not count. */
function carAt(frame: number[]): number {
  let mass = 0
  let sum = 0
  for (let y = 48; y < 92; y++) {
    for (let x = 0; x < 160; x++) {
      const at = (y * 160 + x) * 4
      const red = Math.max(0, frame[at]! - Math.max(frame[at + 1]!, frame[at + 2]!) - 40)
      mass += red
      sum += red * x
    }
  }
  return sum / mass
}

test('holding left or right moves the car to that side', async ({ page }) => {
  // On green nothing but the car is red.
  const start = 'meadow-noon-clear'
  await openPage(page, { backend: 'wasm', clock: 'lockstep', assets: 'assets/drive/', start })
  const after = async (seed: number, steer: -1 | 1) => {
    await page.evaluate((seed) => window.oneiro!.reset(seed), seed)
    await step(page, { steer: 0, throttle: 1 }, 5)
    await step(page, { steer, throttle: 1 }, 12)
    return pixels(page)
  }
  let apart = 0
  for (const seed of [9, 10, 11]) {
    const left = await after(seed, -1)
    const right = await after(seed, 1)
    expect(difference(left, right)).toBeGreaterThan(1)
    apart += (carAt(right) - carAt(left)) / 3
  }
  // The camera looks along the road. Both drives have the same noise, so only the keys tell them apart.
  expect(apart).toBeGreaterThan(5)
})

test('a thumb drives, slides from brake to go, and lets go', async ({ browser }) => {
  const context = await browser.newContext({ hasTouch: true, viewport: { width: 720, height: 450 } })
  const page = await context.newPage()
  await serveTiny(page)
  await openPage(page, { backend: 'wasm', clock: 'lockstep' })
  const cdp = await context.newCDPSession(page)
  const at = async (pad: string) => {
    const box = (await page.locator(`[data-move="${pad}"]`).boundingBox())!
    return { x: box.x + box.width / 2, y: box.y + box.height / 2 }
  }
  const touch = (type: 'touchStart' | 'touchMove' | 'touchEnd', touchPoints: { x: number; y: number }[]) =>
    cdp.send('Input.dispatchTouchEvent', { type, touchPoints })
  await touch('touchStart', [{ x: 360, y: 200 }])
  await touch('touchEnd', [])
  await until(page, { touch: true })
  await touch('touchStart', [await at('throttle-1')])
  await until(page, { held: { steer: 0, throttle: -1 } })
  await touch('touchMove', [await at('throttle1')])
  await until(page, { held: { steer: 0, throttle: 1 } })
  await touch('touchEnd', [])
  await until(page, { held: { steer: 0, throttle: 0 } })
  await context.close()
})

test('a drive is saved, and is the drive when it is read', async ({ page }) => {
  await openPage(page, { backend: 'wasm', clock: 'lockstep' })
  await step(page, { steer: 1, throttle: 1 }, 5)
  const saving = page.waitForEvent('download')
  await page.keyboard.press('l')
  const saved = await saving
  expect(saved.suggestedFilename()).toBe('tiny-7.json')
  const log = readActionLog(await readFile((await saved.path())!, 'utf8'))
  expect(log).toMatchObject({ world: 'tiny', backend: 'wasm', actions: [8, 8, 8, 8, 8] })
  expect(new Set(log.hashes).size).toBe(6)
})

test('cruise keeps the dream that ships on its road', async ({ page }) => {
  await openPage(page, { assets: '/assets/drive/', backend: 'wasm', cruise: '1', start: 'snow-dusk-clear' })
  await reach(page, 60)
  const driven = await page.evaluate(() => window.oneiro!.log().actions.some((code) => code !== 4)) // 4: nothing is held
  expect(driven).toBe(true)
  const { offset } = (await page.evaluate(() => window.oneiro!.readTelemetry()))!
  expect(Math.abs(offset!)).toBeLessThan(5.2)
})
