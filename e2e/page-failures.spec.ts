import { expect, type Page, test } from 'playwright/test'
import { openPage, reach, serveTiny, state, step, until, wake } from './page-driver'

const failure = (page: Page) => page.locator('.failure')

// Software rendering, WASM and whatever else the machine does share its cores.
test.describe.configure({ timeout: 300_000 })

test('a missing manifest is named, and the simulator plays behind the message', async ({ page }) => {
  await serveTiny(page, () => null)
  await openPage(page, { backend: 'wasm', clock: 'lockstep' })
  await expect(failure(page)).toHaveAttribute('data-code', 'ASSET_MISSING')
  await expect(failure(page)).toContainText('world.json')
  expect((await state(page)).shown).toBe('simulator')
  await page.getByRole('button', { name: 'Drive the simulator' }).click()
  await expect(failure(page)).toHaveCount(0)
  expect(await step(page)).toBe(1)
})

test('an altered network is refused, and a good copy plays at the next try', async ({ page }) => {
  let broken = true
  await serveTiny(page, (file, bytes) => {
    if (!broken || file !== 'student.onnx') return bytes
    const altered = Buffer.from(bytes)
    altered[5000] = altered[5000]! ^ 0xff
    return altered
  })
  await openPage(page, { backend: 'wasm', clock: 'lockstep' })
  await expect(failure(page)).toHaveAttribute('data-code', 'ASSET_CORRUPT')
  await expect(failure(page)).toContainText('student.onnx')
  broken = false
  await page.getByRole('button', { name: 'Try again' }).click()
  await until(page, { shown: 'dream' })
  await expect(failure(page)).toHaveCount(0)
})

test('a truncated file is refused', async ({ page }) => {
  await serveTiny(page, (file, bytes) => (file === 'starts.safetensors' ? bytes.subarray(0, 1000) : bytes))
  await openPage(page, { backend: 'wasm', clock: 'lockstep' })
  await expect(failure(page)).toHaveAttribute('data-code', 'ASSET_CORRUPT')
  await expect(failure(page)).toContainText('starts.safetensors')
})

test('a manifest of another version is refused', async ({ page }) => {
  await serveTiny(page, (file, bytes) =>
    file === 'world.json' ? Buffer.from(`${bytes}`.replace('"version": 1', '"version": 2')) : bytes,
  )
  await openPage(page, { backend: 'wasm', clock: 'lockstep' })
  await expect(failure(page)).toHaveAttribute('data-code', 'MANIFEST_VERSION')
})

test('without WebGPU, asking for it offers the processor, which then plays', async ({ page }) => {
  await serveTiny(page)
  await openPage(page, { backend: 'webgpu', clock: 'lockstep' })
  await expect(failure(page)).toHaveAttribute('data-code', 'WEBGPU_UNAVAILABLE')
  await page.getByRole('button', { name: 'Use the processor' }).click()
  await until(page, { backend: 'WASM' })
  expect(await step(page)).toBe(1)
})

test('words that cannot be read are said so, and play goes on under the old ones', async ({ page }) => {
  await serveTiny(page)
  await page.route('**/prompt-encoder/**', (route) => route.abort())
  await openPage(page, { backend: 'wasm', clock: 'lockstep' })
  const { prompt } = await state(page)
  await page.keyboard.press('/')
  await page.keyboard.type('a drive under a green moon')
  await page.keyboard.press('Enter')
  await expect(page.locator('.notice')).toContainText('encoder')
  expect((await state(page)).prompt).toBe(prompt)
  expect(await step(page)).toBe(1)
})

test('a network that goes away in mid-play changes nothing', async ({ page, context }) => {
  await serveTiny(page)
  await openPage(page, { backend: 'wasm' })
  await context.setOffline(true)
  await wake(page)
  await page.locator('.chip').nth(1).click()
  const { tick } = await state(page)
  await reach(page, tick + 2)
  expect((await state(page)).failure).toBeNull()
})

test('without a connection the page opens from what the last visit kept, and plays', async ({
  page,
  context,
}) => {
  await serveTiny(page)
  await openPage(page, { backend: 'wasm', clock: 'lockstep' })
  const kept = () => page.evaluate(async () => (await (await caches.open('oneiro-page')).keys()).length)
  await expect(async () => {
    const before = await kept()
    await page.waitForTimeout(2000)
    expect(before).toBeGreaterThan(10)
    expect(await kept()).toBe(before)
  }).toPass({ timeout: 120_000 })
  await page.unrouteAll()
  await context.setOffline(true)
  await openPage(page, { backend: 'wasm', clock: 'lockstep' })
  await until(page, { shown: 'dream', failure: null })
  expect(await step(page)).toBe(1)
})

test('a lost graphics device comes back at the same tick', { tag: '@webgpu' }, async ({ page }) => {
  await serveTiny(page)
  await openPage(page, { backend: 'webgpu', clock: 'lockstep' })
  const before = await step(page, undefined, 3)
  await page.evaluate(async () => (await window.oneiro!.dream()).loseDevice())
  expect(await step(page)).toBe(before + 1)
  await expect(page.locator('.notice').first()).toBeVisible()
  expect(await state(page)).toMatchObject({ shown: 'dream', failure: null })
})
