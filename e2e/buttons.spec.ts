/** A world that is not a drive, in the page: three buttons, no prompt, no instruments. */
import { expect, test } from 'playwright/test'
import { openPage, pixels, serveFolder, state, step, until, wake } from './page-driver'

const BUTTONS = '/fixture-worlds/buttons/'

test('plays by its own keys, and the page offers nothing that it lacks', async ({ page }) => {
  await serveFolder(page, 'contract/buttons', BUTTONS)
  await openPage(page, { assets: BUTTONS, backend: 'wasm', cruise: '1' })
  expect(await state(page)).toMatchObject({
    held: { red: 0, green: 0, blue: 0 },
    ...{ listens: false, simulated: false, prompt: '', presets: [] },
  })
  await page.keyboard.down('j')
  await until(page, { held: { red: 1, green: 0, blue: 0 }, action: { red: 1, green: 0, blue: 0 } })
  // The world's own keys come before the page's: here Space is a button, and P pauses.
  await page.keyboard.down(' ')
  await until(page, { held: { red: 1, green: 0, blue: 1 }, paused: null })
  await page.keyboard.up(' ')
  await page.keyboard.up('j')
  await page.keyboard.press('p')
  await until(page, { held: { red: 0, green: 0, blue: 0 }, paused: 'user' })

  const off = { red: 0, green: 0, blue: 0 }
  await step(page, off, 20)
  const dark = await pixels(page)
  await step(page, { ...off, green: 1 }, 3)
  const lit = await pixels(page)
  const gain = (channel: number) => lit.reduce((sum, v, i) => sum + (i % 4 === channel ? v - dark[i]! : 0), 0)
  expect(gain(1)).toBeGreaterThan(Math.max(gain(0), gain(2), 1000))

  await wake(page)
  await expect(page.locator('.prompt')).toBeHidden()
  await expect(page.locator('.views')).toBeHidden()
  await expect(page.getByRole('button', { name: /Cruise/ })).toBeHidden()
  await page.keyboard.press('?')
  await expect(page.locator('.help-sheet')).toContainText('Jred')
  const said = await page.evaluate(() =>
    Promise.allSettled([window.oneiro!.setPrompt('fog'), window.oneiro!.step({ red: 2 })]),
  )
  expect(said.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  expect(await page.evaluate(() => window.oneiro!.readTelemetry())).toBeNull()
})
