import { expect, test } from 'playwright/test'
import {
  difference,
  hasDrive,
  openPage,
  pixels,
  reach,
  serveTiny,
  state,
  step,
  until,
  wake,
} from './page-driver'

// Software rendering, WASM and whatever else the machine does share its cores.
test.describe.configure({ timeout: 300_000 })

test.beforeEach(({ page }) => serveTiny(page))

const backend = (title: string) => (title === 'webgpu' ? 'webgpu' : 'wasm')

test('the dream plays at once, on the backend asked for', { tag: '@both' }, async ({ page }, { project }) => {
  await openPage(page, { backend: backend(project.name) })
  await reach(page, 2)
  const now = await state(page)
  expect(now).toMatchObject({ shown: 'dream', paused: null, failure: null })
  expect(now.backend).toBe(project.name === 'webgpu' ? 'WebGPU' : 'WASM')
  const frame = await pixels(page)
  expect(frame).toHaveLength(160 * 96 * 4)
  expect(new Set(frame).size).toBeGreaterThan(16)
})

test('what is on the screen follows the frames', { tag: '@both' }, async ({ page }, { project }) => {
  await openPage(page, { backend: backend(project.name), clock: 'lockstep' })
  // The waking picture fades in for a while after the first frame.
  await page.waitForTimeout(2500)
  const before = await page.locator('.stage').screenshot()
  await step(page, { steer: 1, throttle: 1 }, 3)
  await expect(async () => {
    const after = await page.locator('.stage').screenshot()
    expect(after.equals(before)).toBe(false)
  }).toPass({ timeout: 20_000 })
})

test('pause, single step, go back, begin again', async ({ page }) => {
  await openPage(page, { backend: 'wasm' })
  await reach(page, 3)
  await page.keyboard.press('Space')
  await until(page, { paused: 'user' })
  await page.waitForTimeout(300)
  const stopped = (await state(page)).tick
  await page.waitForTimeout(400)
  expect((await state(page)).tick).toBe(stopped)
  await page.keyboard.press('.')
  await until(page, { tick: stopped + 1 })
  await page.keyboard.press('Backspace')
  await expect.poll(async () => (await state(page)).tick).toBeLessThanOrEqual(stopped)
  await page.keyboard.press('r')
  await until(page, { tick: 0 })
  await wake(page)
  await page.getByRole('button', { name: 'Play' }).click()
  await reach(page, 2)
})

test('words typed while driving turn the picture without a reset and press no driving keys', async ({
  page,
}) => {
  await openPage(page, { backend: 'wasm', clock: 'lockstep' })
  await step(page, undefined, 3)
  const fork = await page.evaluate(() => window.oneiro!.snapshot())
  const index = await step(page)
  const plain = await pixels(page)

  await page.evaluate((snapshot) => window.oneiro!.player.restore(snapshot), fork)
  await page.keyboard.press('/')
  await page.keyboard.type('a snowy night drive')
  expect((await state(page)).held).toEqual({ steer: 0, throttle: 0 })
  expect((await state(page)).typing).toBe(true)
  await page.keyboard.press('Enter')
  await until(page, { prompt: 'a snowy night drive' })
  expect((await state(page)).typing).toBe(false)
  expect(await step(page)).toBe(index)
  expect(difference(plain, await pixels(page))).toBeGreaterThan(0.5)
})

test('Escape leaves the prompt and the same keys drive again', async ({ page }) => {
  await openPage(page, { backend: 'wasm' })
  await page.keyboard.press('/')
  await page.keyboard.type('wasd')
  await page.keyboard.press('Escape')
  await page.keyboard.down('w')
  await page.keyboard.down('ArrowLeft')
  await until(page, { held: { steer: -1, throttle: 1 } })
  await page.keyboard.up('w')
  await page.keyboard.up('ArrowLeft')
  await until(page, { held: { steer: 0, throttle: 0 } })
})

test('losing the focus lets go of every key and pauses until it is back', async ({ page }) => {
  await openPage(page, { backend: 'wasm' })
  await page.keyboard.down('ArrowUp')
  await expect.poll(async () => (await state(page)).held.throttle).toBe(1)
  await page.evaluate(() => window.dispatchEvent(new Event('blur')))
  expect(await state(page)).toMatchObject({ paused: 'away', held: { steer: 0, throttle: 0 } })
  await expect(page.getByText('Paused while you were away')).toBeVisible()
  await page.evaluate(() => window.dispatchEvent(new Event('focus')))
  expect((await state(page)).paused).toBeNull()
})

test('switches to the simulator and to both worlds side by side', async ({ page }) => {
  await openPage(page, { backend: 'wasm', clock: 'lockstep' })
  await page.getByRole('radio', { name: 'Simulator' }).click()
  await until(page, { shown: 'simulator' })
  expect((await state(page)).backend).toBe('WebGL')
  await page.getByRole('radio', { name: 'Both' }).click()
  await until(page, { shown: 'both' })
  expect(await step(page, { steer: 1, throttle: 1 }, 2)).toBe(2)
  await expect(page.locator('.pane-label', { hasText: 'simulator' })).toBeVisible()
  await page.getByRole('radio', { name: 'Dream' }).click()
  await until(page, { shown: 'dream' })
  expect(await step(page)).toBe(1)
})

test('the same seed and actions give the same frames, another seed others', async ({ page }) => {
  await openPage(page, { backend: 'wasm', clock: 'lockstep' })
  const drive = async (seed: number) => {
    await page.evaluate((seed) => window.oneiro!.reset(seed), seed)
    await step(page, { steer: -1, throttle: 1 }, 4)
    return pixels(page)
  }
  const first = await drive(21)
  expect(difference(first, await drive(21))).toBe(0)
  expect(difference(first, await drive(22))).toBeGreaterThan(0)
})

test('the instruments load when asked for', async ({ page }) => {
  const chunks: string[] = []
  page.on('request', (request) => chunks.push(request.url()))
  await openPage(page, { backend: 'wasm' })
  await reach(page, 2)
  const before = chunks.length
  await expect(page.locator('.hud canvas')).toHaveCount(0)
  await page.keyboard.press('h')
  await expect(page.locator('.hud canvas')).toBeVisible()
  expect(chunks.length).toBeGreaterThan(before)
})

test('presets need no sentence encoder', async ({ page }) => {
  const encoder: string[] = []
  page.on('request', (request) => {
    if (request.url().includes('prompt-encoder')) encoder.push(request.url())
  })
  await openPage(page, { backend: 'wasm' })
  await wake(page)
  await page.locator('[data-preset="a-snowy-night-drive"]').click()
  await until(page, { prompt: 'a snowy night drive' })
  await reach(page, 3)
  expect(encoder).toEqual([])
})

test('holding left or right turns the view the other way', async ({ page }) => {
  test.skip(!hasDrive, 'the trained world is not in assets/drive')
  await openPage(page, { backend: 'wasm', clock: 'lockstep', assets: 'assets/drive/' })
  const after = async (steer: -1 | 1) => {
    await page.evaluate(() => window.oneiro!.reset(7))
    await step(page, { steer: 0, throttle: 1 }, 10)
    await step(page, { steer, throttle: 1 }, 8)
    return pixels(page)
  }
  const left = await after(-1)
  const right = await after(1)
  expect(difference(left, right)).toBeGreaterThan(2)
  // Steering left shows what was at the left: that picture, moved right, is nearer to the other than unmoved.
  const shifted = (by: number) => {
    let sum = 0
    let count = 0
    for (let y = 8; y < 56; y++) {
      for (let x = 24; x < 136; x++) {
        for (let c = 0; c < 3; c++) {
          sum += Math.abs(left[(y * 160 + x) * 4 + c]! - right[(y * 160 + x - by) * 4 + c]!)
          count++
        }
      }
    }
    return sum / count
  }
  const best = [-16, -12, -8, -4, 0, 4, 8, 12, 16].reduce((a, b) => (shifted(b) < shifted(a) ? b : a))
  expect(best).toBeGreaterThan(0)
})
