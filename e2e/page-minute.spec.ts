/** The first minute: a run, words that answer, links to a moment, futures that were left, clips, sound, and the first picture. */
import { readFile } from 'node:fs/promises'
import { AxeBuilder } from '@axe-core/playwright'
import { expect, type Page, test } from 'playwright/test'
import { busyness } from './busyness'
import { openPage, pixels, serveTiny, state, step, type Tamper, until, wake } from './page-driver'

test.describe.configure({ timeout: 300_000 })

/** The tiny world as a drive: its instruments read noise, but they have the names that a run needs. */
const asDrive: Tamper = (file, bytes) => {
  if (file !== 'world.json') return bytes
  const manifest = JSON.parse(bytes.toString())
  const instrument = (name: string, centre: number, spread: number) => ({ name, unit: '', centre, spread })
  manifest.task = 'drive'
  manifest.telemetry = [
    instrument('speed', 20, 0.1),
    instrument('offset', 0, 0.1),
    instrument('heading', 0, 0.01),
    instrument('stuck', 0, 0.01),
  ]
  return Buffer.from(JSON.stringify(manifest))
}

const QUIET = { backend: 'wasm', clock: 'lockstep', stage: 'flat' }

async function shownText(page: Page, pattern: RegExp): Promise<void> {
  await expect
    .poll(async () => (await state(page)).notices.map(({ text }) => text).join('\n'))
    .toMatch(pattern)
}

test('a run ends with a score, a card, a proof and a line to beat; own words end it', async ({ page }) => {
  await serveTiny(page, asDrive)
  await openPage(page, { ...QUIET, run: '2026-11-29' })
  await until(page, { runnable: true })
  await page.keyboard.press('g')
  await until(page, {
    run: expect.objectContaining({ day: '2026-11-29', best: null }) as never,
    seed: 20261129,
  })
  await step(page, undefined, 40)
  await expect(page.locator('.run-score')).toHaveText(/^(3\d|4\d) m$/)
  await expect(page.locator('.run-left')).toHaveText('58 s')
  await step(page, undefined, 1160)
  await expect(page.getByRole('dialog', { name: 'Your run' })).toBeVisible()
  const { run } = await state(page)
  expect(run!.score).toBeGreaterThan(900)
  expect(run!.line).toHaveLength(61)
  const saving = page.waitForEvent('download')
  await page.getByRole('button', { name: 'Save the proof' }).click()
  const log = JSON.parse(await readFile((await (await saving).path())!, 'utf8'))
  expect(log.run).toEqual({ day: '2026-11-29', score: run!.score })
  expect(log.actions).toHaveLength(1200)
  expect(log.prompts.length).toBeGreaterThan(3)
  await page.keyboard.press('Escape')
  await until(page, { run: null })
  await page.keyboard.press('g')
  await until(page, {
    run: expect.objectContaining({ best: expect.objectContaining({ score: run!.score }) }) as never,
  })
  await page.evaluate(() => window.oneiro!.setPrompt('a snowy night drive'))
  await step(page)
  await page.evaluate(() => window.oneiro!.setPrompt('fog at dawn in the forest'))
  await until(page, { run: null })
  await shownText(page, /chose the words yourself/)
})

test('a world without these instruments has no run', async ({ page }) => {
  await serveTiny(page)
  await openPage(page, { ...QUIET, run: 'tomorrow' })
  expect(await state(page)).toMatchObject({ runnable: false, run: null })
  await shownText(page, /A day is written as 2026-11-29/)
  await page.keyboard.press('g')
  expect((await state(page)).run).toBeNull()
  await expect(page.locator('.run-begin')).toBeHidden()
})

test('a link goes on from tick 900 to the same frame at tick 1,000; a damaged one begins anew and says so', async ({
  page,
}) => {
  await serveTiny(page)
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
  await openPage(page, QUIET)
  await step(page, { steer: 1, throttle: 1 }, 450)
  await page.evaluate(() => window.oneiro!.setPrompt('a snowy night drive'))
  await step(page, { steer: -1, throttle: 1 }, 450)
  await wake(page)
  await page.getByRole('button', { name: 'Keep and share' }).click()
  await page.getByRole('menuitem', { name: 'Link to this very moment' }).click()
  await shownText(page, /The link to this moment is on the clipboard/)
  const link = await page.evaluate(() => navigator.clipboard.readText())
  expect(new URL(link).hash.length).toBeLessThan(700)
  await step(page, { steer: 0, throttle: 1 }, 100)
  const [expected, log] = await page.evaluate(() => [
    window.oneiro!.log().hashes.at(-1),
    window.oneiro!.log(),
  ])
  await page.goto('about:blank')
  await page.goto(link)
  await page.waitForFunction(() => window.oneiro?.state().tick === 900, undefined, { timeout: 120_000 })
  await shownText(page, /900 ticks were dreamed again in [\d.]+ s/)
  expect(page.url()).not.toContain('#m=')
  expect((await state(page)).prompt).toBe('a snowy night drive')
  await step(page, { steer: 0, throttle: 1 }, 100)
  expect(await page.evaluate(() => window.oneiro!.log().hashes.at(-1))).toBe(expected)
  await test.step('the saved drive is dropped on the page', async () => {
    await page.evaluate(
      (text) => {
        const data = new DataTransfer()
        data.items.add(new File([text], 'drive.json', { type: 'application/json' }))
        for (const type of ['dragover', 'drop'])
          window.dispatchEvent(new DragEvent(type, { dataTransfer: data, cancelable: true, bubbles: true }))
      },
      JSON.stringify({ ...log, hashes: Array(log.hashes.length).fill(null) }),
    )
    await expect
      .poll(async () => (await state(page)).notices.map(({ text }) => text).join('\n'), { timeout: 120_000 })
      .toMatch(/1,000 ticks were dreamed again/)
    expect(await page.evaluate(() => window.oneiro!.log().hashes.at(-1))).toBe(expected)
  })
  await test.step('damaged', async () => {
    await page.goto('about:blank')
    await page.goto(link.slice(0, -30))
    await page.waitForFunction(() => window.oneiro?.state().phase === 'ready')
    await shownText(page, /link to this moment is damaged/)
    expect(await step(page)).toBe(1)
  })
})

test('on the drive that ships, too, a link goes on from tick 900 to the same frame at tick 1,000', async ({
  page,
}) => {
  test.setTimeout(1_200_000)
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
  await page.goto('/?backend=wasm&clock=lockstep&stage=flat&cruise=0')
  await until(page, { phase: 'ready', tick: 0 })
  await step(page, { steer: 0, throttle: 1 }, 440)
  await page.evaluate(() => window.oneiro!.setPrompt('a snowy night drive'))
  await step(page, { steer: 1, throttle: 1 }, 20)
  await step(page, { steer: 0, throttle: 1 }, 440)
  await wake(page)
  await page.getByRole('button', { name: 'Keep and share' }).click()
  await page.getByRole('menuitem', { name: 'Link to this very moment' }).click()
  await shownText(page, /The link to this moment is on the clipboard/)
  const link = await page.evaluate(() => navigator.clipboard.readText())
  const goOn = async () => {
    await step(page, { steer: -1, throttle: 1 }, 10)
    await step(page, { steer: 0, throttle: 1 }, 90)
    return page.evaluate(() => window.oneiro!.log().hashes.at(-1))
  }
  const expected = await goOn()
  await page.goto('about:blank')
  await page.goto(link)
  await page.waitForFunction(() => window.oneiro?.state().tick === 900, undefined, { timeout: 600_000 })
  const { notices } = await state(page)
  console.log(notices.map(({ text }) => text).join(' '))
  expect(await goOn()).toBe(expected)
})

test('a future that was left is a picture that one returns to', async ({ page }) => {
  await serveTiny(page)
  await openPage(page, QUIET)
  await step(page, { steer: 1, throttle: 1 }, 60)
  const end = await pixels(page)
  await page.evaluate(() => window.oneiro!.player.rewind.rewind(40))
  await until(page, { tick: 20, branches: [] })
  await step(page, { steer: -1, throttle: 1 }, 5)
  const thumbnail = page.getByRole('button', { name: 'Return to the future left at tick 20' })
  await wake(page)
  await expect(thumbnail).toBeVisible()
  await thumbnail.click()
  await until(page, { tick: 60 })
  expect(await pixels(page)).toEqual(end)
  await page.keyboard.press('r')
  await until(page, { tick: 0, branches: [] })
})

test('a still and a loop are kept by one key each, and without WebCodecs there is a sentence', async ({
  page,
}) => {
  await serveTiny(page)
  await openPage(page, QUIET)
  await page.keyboard.press('o')
  await shownText(page, /not yet a second/)
  await step(page, { steer: 1, throttle: 1 }, 175)
  const still = page.waitForEvent('download')
  await page.keyboard.press('i')
  const png = await readFile((await (await still).path())!)
  expect([png.subarray(1, 4).toString(), png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([
    'PNG',
    960,
    576,
  ])
  const loop = page.waitForEvent('download')
  const started = Date.now()
  await page.keyboard.press('o')
  const file = await loop
  const seconds = (Date.now() - started) / 1000
  console.log(`a loop of eight seconds took ${seconds.toFixed(1)} s`)
  // Four are promised, on a machine that does nothing else.
  expect(seconds).toBeLessThan(4 * busyness())
  expect(file.suggestedFilename()).toMatch(/^oneiro-7-175\.(mp4|webm)$/)
  const video = await readFile((await file.path())!)
  const seen = await page.evaluate(async (base64) => {
    const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))
    const element = Object.assign(document.createElement('video'), {
      src: URL.createObjectURL(new Blob([bytes])),
    })
    await new Promise((resolve, reject) => {
      element.onloadedmetadata = resolve
      element.onerror = () => reject(new Error(element.error?.message))
    })
    return { width: element.videoWidth, height: element.videoHeight, seconds: element.duration }
  }, video.toString('base64'))
  expect(seen).toMatchObject({ width: 640, height: 384 })
  expect(seen.seconds).toBeCloseTo(8, 0)
  await page.evaluate(() => Reflect.deleteProperty(globalThis, 'VideoEncoder'))
  await page.keyboard.press('o')
  await shownText(page, /it has no WebCodecs/)
})

test('sound is off until asked for, remembered, and its lack is a sentence', async ({ page }) => {
  await serveTiny(page, asDrive)
  await openPage(page, QUIET)
  const button = page.getByRole('button', { name: 'Sound' })
  await expect(button).toHaveAttribute('aria-pressed', 'false')
  await page.keyboard.press('m')
  await until(page, { sound: true })
  await page.reload()
  await page.waitForFunction(() => window.oneiro?.state().phase === 'ready')
  expect((await state(page)).sound).toBe(true)
  await page.addInitScript(() => Reflect.deleteProperty(globalThis, 'AudioContext'))
  await page.reload()
  await page.waitForFunction(() => window.oneiro?.state().phase === 'ready')
  await page.keyboard.press('ArrowUp')
  await shownText(page, /No audio device could be opened/)
  expect(await step(page)).toBe(1)
})

test('what was heard of the words is told in chips that change it', async ({ page }) => {
  await page.setViewportSize({ width: 1280, height: 720 })
  await page.goto('/?backend=wasm&clock=lockstep&stage=flat&seed=7&prompt=a+snowy+night+drive')
  await page.waitForFunction(() => window.oneiro?.state().heard, undefined, { timeout: 120_000 })
  const chip = (thing: string) => page.locator(`.heard-chip[data-thing="${thing}"]`)
  await expect(chip('biome')).toHaveText('snow')
  await expect(chip('time')).toHaveText('night')
  await step(page, undefined, 3)
  await chip('weather').click()
  await page.getByRole('menuitemradio', { name: 'fog' }).click()
  await expect(chip('weather')).toHaveText('fog')
  await expect(page.locator('.heard-name')).toHaveText('from tick 4')
  expect(await state(page)).toMatchObject({ prompt: 'snow, night, fog', heard: { tick: 4 } })
  await test.step('by the keyboard, and no key of the menu drives or commands', async () => {
    await chip('time').focus()
    await page.keyboard.press('Enter')
    await page.keyboard.press('ArrowUp')
    await page.keyboard.press('Enter')
    await expect(chip('time')).toHaveText('dusk')
    expect((await state(page)).seed).toBe(7)
  })
  await test.step('words that only change it keep the rest', async () => {
    await page.evaluate(() => window.oneiro!.setPrompt('make it rainy'))
    await expect(chip('weather')).toHaveText('rain')
    await expect(chip('biome')).toHaveText('snow')
    await expect(chip('time')).toHaveText('dusk')
  })
})

test('the first frame of the opening drive is there before any model is', async ({ page }) => {
  let release = () => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  await page.route('**/student.onnx*', async (route) => {
    await held
    await route.continue()
  })
  await page.goto('/?backend=wasm&stage=flat&clock=lockstep')
  await page.waitForFunction(() => window.oneiro?.state().opening, undefined, { timeout: 60_000 })
  expect((await state(page)).phase).toBe('loading')
  const shownAt = await page.evaluate(() => performance.getEntriesByName('oneiro-opening')[0]!.startTime)
  console.log(`the first picture came after ${(shownAt / 1000).toFixed(1)} s`)
  // Three are promised, on a machine that does nothing else.
  expect(shownAt).toBeLessThan(3000 * busyness())
  release()
  await until(page, { phase: 'ready', tick: 0, seed: 19 })
})

test('on a phone held upright the name of the page opens the choice of worlds', async ({ page }) => {
  await serveTiny(page)
  await openPage(page, QUIET)
  const open = page.getByRole('button', { name: 'Worlds' })
  await expect(page.getByRole('navigation', { name: 'Worlds' })).toBeHidden()
  await page.setViewportSize({ width: 1280, height: 720 })
  await expect(page.getByRole('navigation', { name: 'Worlds' })).toBeVisible()
  await expect(open).toBeHidden()
  await page.setViewportSize({ width: 390, height: 844 })
  await page.evaluate(() => window.oneiro!.store.setState({ touch: true }))
  const box = (await open.boundingBox())!
  expect(Math.min(box.width, box.height)).toBeGreaterThanOrEqual(44)
  const tools = (await page.getByRole('button', { name: 'Instruments' }).boundingBox())!
  expect(box.x + box.width).toBeLessThanOrEqual(tools.x)
  await open.click()
  await expect(page.getByRole('menuitemradio', { name: 'Drive' })).toBeVisible()
  await page.getByRole('menuitemradio', { name: 'Snake' }).click()
  await expect(page).toHaveURL(/[?]world=snake/)
})

test('axe finds nothing, whatever is open', async ({ page }) => {
  await serveTiny(page, asDrive)
  await openPage(page, QUIET)
  await page.setViewportSize({ width: 1280, height: 720 })
  const check = async (what: string) => {
    await wake(page)
    await page.waitForTimeout(600)
    const { violations } = await new AxeBuilder({ page }).analyze()
    expect(violations.map(({ id, nodes }) => `${what}: ${id} ${nodes[0]?.html}`)).toEqual([])
  }
  await check('the drive')
  await page.getByRole('button', { name: 'Keep and share' }).click()
  await check('a menu')
  await page.keyboard.press('Escape')
  await page.keyboard.press('?')
  await check('help')
  await page.keyboard.press('Escape')
  await page.evaluate(() => window.oneiro!.store.setState({ choosing: true }))
  await check('the places')
  await page.evaluate(() => window.oneiro!.store.setState({ choosing: false }))
  const line = Array.from({ length: 61 }, (_, i) => i)
  for (const done of [false, true]) {
    await page.evaluate((run) => window.oneiro!.store.setState({ run: run as never }), {
      day: '2026-11-29',
      unit: 'm',
      spent: 900,
      score: 45,
      line,
      best: { score: 60, line },
      done,
    })
    await check(done ? 'the card of a run' : 'a run')
  }
  await page.setViewportSize({ width: 390, height: 844 })
  await page.evaluate(() => window.oneiro!.store.setState({ run: null, touch: true }))
  await check('the phone')
})
