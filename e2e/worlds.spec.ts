/** The worlds that ship, chosen by their pictures: the drive, and a game that was trained by one command. */
import { expect, test } from 'playwright/test'
import { pixels, state, step } from './page-driver'

test('another world is a click away, and plays by its own keys', async ({ page }) => {
  await page.goto('/?backend=wasm&clock=lockstep&stage=flat')
  const worlds = page.getByRole('navigation', { name: 'Worlds' })
  await expect(worlds.getByRole('link')).toHaveText(['Drive', 'Snake'])
  await expect(worlds.locator('[aria-current]')).toHaveText('Drive')
  const href = await worlds.getByRole('link', { name: 'Snake' }).getAttribute('href')
  // A seed that begins where the snake is not about to die and to stand still.
  await page.goto(`/${href}&backend=wasm&clock=lockstep&stage=flat&seed=7`)
  await expect(worlds.locator('[aria-current]')).toHaveText('Snake')
  await expect(page.locator('#app')).toHaveAttribute('data-phase', 'ready')
  expect(await state(page)).toMatchObject({ listens: false, simulated: false, held: { x: 0, y: 0 } })
  await step(page, { x: 0, y: 0 }, 2)
  const before = await pixels(page)
  await step(page, { x: 0, y: 1 }, 3)
  const after = await pixels(page)
  expect(after).toHaveLength(96 * 64 * 4)
  expect(after.filter((value, i) => Math.abs(value - before[i]!) > 60).length).toBeGreaterThan(100)
})
