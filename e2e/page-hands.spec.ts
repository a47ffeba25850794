/** Hands on and off the wheel: cruise, assist, waking, the focus, and what is told to those who do not see. */
import { expect, type Page, test } from 'playwright/test'
import { openPage, reach, serveTiny, state, until } from './page-driver'

test.describe.configure({ timeout: 300_000 })

test.beforeEach(({ page }) => serveTiny(page))

/** The simulator in real time: it has instruments, and is there at once. */
const SIMULATOR = { world: 'simulator', stage: 'flat' }

/** As the log writes it. */
const LEFT_AND_GO = 2

async function offset(page: Page): Promise<number> {
  return Math.abs((await page.evaluate(() => window.oneiro!.readTelemetry()))!.offset!)
}

test('who leaves the road wakes, and is back on it; with assist nobody leaves it', async ({ page }) => {
  await openPage(page, { ...SIMULATOR, assist: '1' })
  await test.step('assist holds the car on the road while a key holds to the side', async () => {
    await page.keyboard.down('ArrowUp')
    await page.keyboard.down('ArrowLeft')
    await until(page, { handsOn: true })
    const { tick } = await state(page)
    await reach(page, tick + 100)
    expect(await offset(page)).toBeLessThan(5.6)
    const done = await page.evaluate(() => window.oneiro!.log().actions.slice(-40))
    // Left and go were asked for. What assist did instead is in the log, and so in every replay.
    expect(done.some((code) => code !== LEFT_AND_GO)).toBe(true)
  })
  await test.step('without it the drive breaks, one wakes, and it goes on from before', async () => {
    await page.keyboard.press('k')
    await until(page, { assist: false })
    await expect.poll(async () => (await state(page)).wakes, { timeout: 120_000 }).toBe(1)
    await expect(page.locator('.notice')).toContainText('you woke for a moment')
    expect(await offset(page)).toBeLessThan(5.6)
    await until(page, { held: { steer: 0, throttle: 0 } })
    const { ticks, actions } = await page.evaluate(async () => {
      await window.oneiro!.step()
      return { ticks: window.oneiro!.state().tick, actions: window.oneiro!.log().actions.length }
    })
    expect(actions).toBe(ticks)
  })
  await test.step('what was chosen stays so, unless the address says another', async () => {
    await page.reload()
    await page.waitForFunction(() => window.oneiro?.state().phase === 'ready', undefined, { timeout: 90_000 })
    expect((await state(page)).assist).toBe(true) // the address of this test says so
    await openPage(page, SIMULATOR)
    expect((await state(page)).assist).toBe(false)
  })
})

test('cruise is a switch, and drives again two seconds after the last key', async ({ page }) => {
  await openPage(page, { ...SIMULATOR, cruise: '1' })
  const cruise = page.getByRole('switch', { name: 'Cruise' })
  const word = page.locator('.keys-word')
  await expect(cruise).toHaveAttribute('aria-checked', 'true')
  await expect(word).toHaveText('cruising')
  await page.keyboard.press('ArrowDown')
  await expect(word).toHaveText('you drive')
  await expect(word).toHaveText('cruising', { timeout: 20_000 })
  await page.mouse.move(300, 200)
  await page.mouse.move(310, 205)
  await cruise.click()
  await until(page, { cruise: false })
  await expect(cruise).toHaveAttribute('aria-checked', 'false')
})

test('the keyboard reaches the controls, and the drive keys drive from them but not from a text field', async ({
  page,
}) => {
  await openPage(page, SIMULATOR)
  const cruise = page.getByRole('switch', { name: 'Cruise' })
  await cruise.focus()
  await page.keyboard.press('Shift+Tab')
  await page.keyboard.press('Tab')
  await expect(cruise).toBeFocused()
  await page.keyboard.down('ArrowLeft')
  await until(page, { held: { steer: -1, throttle: 0 } })
  await page.keyboard.up('ArrowLeft')
  await page.waitForTimeout(4000)
  expect((await state(page)).quiet).toBe(false)
  await expect(cruise).toBeFocused()
  await page.keyboard.press('Enter')
  await until(page, { cruise: true, paused: null })
  await page.keyboard.press('/')
  await page.keyboard.type('wasd')
  expect((await state(page)).held).toEqual({ steer: 0, throttle: 0 })
  await expect(page.locator('.prompt-input')).toHaveValue('wasd')
})

test('the drive is told in words, seldom enough to be heard', async ({ page }) => {
  await openPage(page, { ...SIMULATOR, cruise: '1' })
  const live = page.locator('.live')
  await expect(live).toHaveAttribute('aria-live', 'polite')
  await expect(live).toHaveText(/km\/h, .*, .*road\.$/)
  await page.evaluate(() => window.oneiro!.setPrompt('a snowy night drive'))
  await expect(live).toHaveText(/\. Dreaming of a snowy night drive\.$/)
  const changes = await page.evaluate(async () => {
    let count = 0
    const observer = new MutationObserver(() => count++)
    observer.observe(document.querySelector('.live')!, {
      childList: true,
      characterData: true,
      subtree: true,
    })
    await new Promise((resolve) => setTimeout(resolve, 12_000))
    return count
  })
  expect(changes).toBeLessThanOrEqual(3)
})

test('who wants little motion wakes without a flash', async ({ page }) => {
  await page.emulateMedia({ reducedMotion: 'reduce' })
  await openPage(page, SIMULATOR)
  await page.evaluate(() => window.oneiro!.store.setState({ wakes: 1 }))
  await expect(page.locator('.waking')).toBeHidden()
  await page.emulateMedia({ reducedMotion: 'no-preference' })
  await expect(page.locator('.waking')).toHaveCSS('animation-name', 'waking')
})
