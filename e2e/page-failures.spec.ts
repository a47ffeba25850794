import { expect, type Page, test } from 'playwright/test'
import { openPage, reach, serveTiny, state, step, type Tamper, until, wake } from './page-driver'

// Software rendering, WASM and whatever else the machine does share its cores: few page loads, and patience.
test.describe.configure({ timeout: 300_000 })

const card = (page: Page) => page.locator('.failure')

async function says(page: Page, code: string, words: string): Promise<void> {
  await expect(card(page)).toHaveAttribute('data-code', code, { timeout: 60_000 })
  await expect(card(page)).toContainText(words)
}

test('files that are missing, altered, cut short or of another version are named, and a good copy plays', async ({
  page,
}) => {
  let tamper: Tamper = () => null
  await serveTiny(page, (file, bytes) => tamper(file, bytes))
  await openPage(page, { backend: 'wasm', clock: 'lockstep' })
  const tryAgain = () => page.getByRole('button', { name: 'Try again' }).click()

  await test.step('missing: the simulator plays behind the message', async () => {
    await says(page, 'ASSET_MISSING', 'world.json')
    await until(page, { shown: 'simulator' })
    expect(await step(page)).toBe(1)
  })
  await test.step('another version', async () => {
    tamper = (file, bytes) =>
      file === 'world.json' ? Buffer.from(`${bytes}`.replace('"version": 1', '"version": 2')) : bytes
    await tryAgain()
    await says(page, 'MANIFEST_VERSION', 'version 2')
  })
  await test.step('altered', async () => {
    tamper = (file, bytes) => {
      if (file !== 'student.onnx') return bytes
      const altered = Buffer.from(bytes)
      altered[5000] = altered[5000]! ^ 0xff
      return altered
    }
    await tryAgain()
    await says(page, 'ASSET_CORRUPT', 'student.onnx')
  })
  await test.step('cut short', async () => {
    // The other files are kept by now, and would not be fetched again.
    tamper = (file, bytes) => (file === 'student.onnx' ? bytes.subarray(0, 1000) : bytes)
    await tryAgain()
    await says(page, 'ASSET_CORRUPT', 'bytes')
  })
  await test.step('a good copy plays', async () => {
    tamper = (_, bytes) => bytes
    await tryAgain()
    await until(page, { shown: 'dream', failure: null })
    await expect(card(page)).toHaveCount(0)
    expect(await step(page)).toBe(1)
  })
})

test('without WebGPU, asking for it offers the processor, which then plays', async ({ page }) => {
  await serveTiny(page)
  await openPage(page, { backend: 'webgpu', clock: 'lockstep' })
  await says(page, 'WEBGPU_UNAVAILABLE', 'WebGPU')
  await page.getByRole('button', { name: 'Use the processor' }).click()
  await until(page, { shown: 'dream', backend: 'WASM', failure: null })
  expect(await step(page)).toBe(1)
})

test('words that cannot be read and a network that goes away do not stop the drive', async ({
  page,
  context,
}) => {
  await serveTiny(page)
  await page.route('**/prompt-encoder/**', (route) => route.abort())
  await openPage(page, { backend: 'wasm' })
  const { prompt } = await state(page)
  await page.keyboard.press('/')
  await page.keyboard.type('a drive under a green moon')
  await page.keyboard.press('Enter')
  await expect(page.locator('.notice')).toContainText('encoder', { timeout: 60_000 })
  await until(page, { prompt })
  await context.setOffline(true)
  await wake(page)
  await page.locator('.chip').nth(1).click({ timeout: 60_000 })
  const { tick } = await state(page)
  await reach(page, tick + 2)
  expect(await state(page)).toMatchObject({ failure: null, prompt: 'a snowy night drive' })
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
