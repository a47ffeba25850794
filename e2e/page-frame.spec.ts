/** How the built page looks at the sizes that people have: where the picture lies, what can be hit, what can be read. */
import { type Browser, expect, type Page, test } from 'playwright/test'
import sharp, { type OutputInfo } from 'sharp'
import { openPage, serveTiny, state, until } from './page-driver'

test.describe.configure({ timeout: 300_000 })

const SIZES = {
  wide: { width: 1920, height: 1080, touch: false },
  laptop: { width: 1280, height: 720, touch: false },
  small: { width: 720, height: 450, touch: false },
  sideways: { width: 844, height: 390, touch: true },
  low: { width: 844, height: 390, touch: false },
  upright: { width: 390, height: 844, touch: true },
} as const
type Size = keyof typeof SIZES

async function openAt(browser: Browser, size: Size, query: Record<string, string> = {}): Promise<Page> {
  const { width, height, touch } = SIZES[size]
  const context = await browser.newContext({ viewport: { width, height }, hasTouch: touch })
  const page = await context.newPage()
  await serveTiny(page)
  await openPage(page, { backend: 'wasm', clock: 'lockstep', ...query })
  await page.setViewportSize({ width, height })
  await page.evaluate((touch) => window.oneiro!.store.setState({ touch }), touch)
  // The veil and the light of the first frame have gone.
  await page.waitForTimeout(2500)
  return page
}

/** Shows a picture of one colour. */
async function paint(page: Page, colour: readonly [number, number, number]): Promise<void> {
  await page.evaluate((colour) => {
    const data = new Uint8ClampedArray(160 * 96 * 4).fill(255)
    for (let i = 0; i < data.length; i += 4) data.set(colour, i)
    const frame = { width: 160, height: 96, data }
    // The ambient light follows in a few steps.
    for (let i = 0; i < 20; i++)
      window.oneiro!.player.presenter.show(0, { index: i, epoch: 0, frame, timings: {} }, frame)
  }, colour)
  await page.waitForTimeout(1000)
}

interface Box {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

async function boxOf(page: Page, selector: string): Promise<Box> {
  return (await page.locator(selector).first().boundingBox())!
}

function overlap(a: Box, b: Box): number {
  const wide = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x)
  const high = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y)
  return Math.max(0, wide) * Math.max(0, high)
}

/** The picture on the flat stage, above its light. */
const PICTURE = '.stage canvas:nth-child(2)'

for (const size of Object.keys(SIZES) as Size[]) {
  test(`${size}: the picture has a size that suits it, and the controls can be hit and read`, async ({
    browser,
  }) => {
    const page = await openAt(browser, size, { stage: 'flat' })
    const { width, height, touch } = SIZES[size]
    const picture = await boxOf(page, PICTURE)
    await test.step('the picture', async () => {
      expect(picture.width / picture.height).toBeCloseTo(160 / 96, 1)
      if (size === 'upright') expect([picture.x, picture.width]).toEqual([0, width])
      else {
        expect(picture.width / 160).toBeGreaterThan(4)
        expect(picture.width / 160).toBeLessThanOrEqual(5)
      }
      if (size === 'sideways' || size === 'low' || size === 'small') return
      for (const part of ['.brand', '.tools', '.views', '.transport', '.prompt', '.chips'])
        expect(overlap(picture, await boxOf(page, part)), part).toBe(0)
    })
    await test.step('nothing touches an edge, and nothing covers another', async () => {
      const parts = ['.brand-name', '.place', '.views', '.tools', '.transport', '.prompt']
      if (touch) parts.push('.pads-left', '.pads-right')
      const boxes = await Promise.all(parts.map((part) => boxOf(page, part)))
      for (const [i, box] of boxes.entries()) {
        expect(box.x, parts[i]).toBeGreaterThanOrEqual(12)
        expect(box.x + box.width, parts[i]).toBeLessThanOrEqual(width - 12)
        expect(box.y + box.height, parts[i]).toBeLessThanOrEqual(height)
        for (let j = 0; j < i; j++) expect(overlap(box, boxes[j]!), `${parts[i]} ${parts[j]}`).toBe(0)
      }
      // Beside the page, or in a menu where there is no room.
      if (await page.locator('.worlds').isVisible())
        expect(overlap(await boxOf(page, '.worlds'), await boxOf(page, '.chips')), 'worlds').toBe(0)
    })
    await test.step('what tells of slow motion covers neither title nor controls', async () => {
      // Kept so: a machine that is fast enough would take it away again.
      await page.evaluate(() => {
        const { store } = window.oneiro!
        const slow = () => store.setState({ slowed: true, ticksPerSecond: 7 })
        store.subscribe(({ slowed, ticksPerSecond }) => {
          if (!slowed || ticksPerSecond !== 7) slow()
        })
        slow()
      })
      await expect(page.locator('.pace')).toHaveText('Slow motion · 35 %')
      await expect(page.locator('.pace')).toHaveCSS('opacity', '1')
      const pace = await boxOf(page, '.pace')
      for (const part of ['.brand-name', '.now', '.place', '.views', '.tools'])
        expect(overlap(pace, await boxOf(page, part)), part).toBe(0)
    })
    await test.step('a sentence covers neither title nor controls', async () => {
      await page.evaluate(() => {
        const text =
          'The dream cannot take over a drive of the simulator, so it begins anew, on the same words.'
        window.oneiro!.store.setState({ notices: [{ id: 1e6, text, tone: 'info' }] })
        // In lockstep nobody can begin a run, so its button is shown by hand.
        document.querySelector<HTMLElement>('.run')!.hidden = false
      })
      // It slides in, from above.
      await page
        .locator('.notice')
        .evaluate((notice) => Promise.all(notice.getAnimations().map(({ finished }) => finished)))
      const sentence = await boxOf(page, '.notice')
      for (const part of ['.brand-name', '.place', '.views', '.tools', '.run-begin'])
        expect(overlap(sentence, await boxOf(page, part)), part).toBe(0)
      await page.evaluate(() => {
        document.querySelector<HTMLElement>('.run-begin')!.hidden = true
        document.querySelector<HTMLElement>('.run-now')!.hidden = false
      })
      expect(overlap(await boxOf(page, '.notice'), await boxOf(page, '.run-now')), 'a run').toBe(0)
      await page.evaluate(() => {
        document.querySelector<HTMLElement>('.run-begin')!.hidden = false
        document.querySelector<HTMLElement>('.run-now')!.hidden = true
        window.oneiro!.store.setState({ notices: [] })
      })
      await expect(page.locator('.notice')).toHaveCount(0)
      await page.evaluate(() => {
        document.querySelector<HTMLElement>('.run')!.hidden = true
      })
    })
    if (touch) {
      await test.step('a finger hits everything', async () => {
        const small = await page.evaluate(() =>
          [...document.querySelectorAll('.top button, .deck button, .seed, .scrub, .pad')]
            .map((element) => ({ box: element.getBoundingClientRect(), name: element.className }))
            .filter(({ box }) => box.height > 0 && (box.height < 44 || box.width < 44))
            .map(({ box, name }) => `${name} ${box.width}x${box.height}`),
        )
        expect(small).toEqual([])
      })
    }
    await test.step('every text can be read over a white picture', async () => {
      expect(await faintTexts(page)).toEqual([])
      await page.keyboard.press('b')
      expect(await faintTexts(page)).toEqual([])
    })
    await page.context().close()
  })
}

test('the light around the picture has its colour, on every stage', async ({ browser }) => {
  for (const stage of ['flat', 'webgl']) {
    const page = await openAt(browser, 'laptop', { stage })
    await paint(page, [220, 40, 30])
    const shot = await sharp(await page.screenshot())
      .raw()
      .toBuffer({ resolveWithObject: true })
    const at = (x: number, y: number) => {
      const i = (y * shot.info.width + x) * shot.info.channels
      return [...shot.data.subarray(i, i + 3)] as [number, number, number]
    }
    const [inside, beside, far] = [at(640, 340), at(210, 340), at(30, 340)]
    expect(inside[0], stage).toBeGreaterThan(200)
    expect(beside[0] - beside[2], stage).toBeGreaterThan(40)
    expect(beside[0], stage).toBeLessThan(inside[0] * 0.7)
    expect(far[0], stage).toBeLessThan(beside[0])
    await page.context().close()
  }
})

test('B covers the window with the picture, and it is so on the next visit', async ({ browser }) => {
  const page = await openAt(browser, 'laptop', { stage: 'flat' })
  const framed = await boxOf(page, PICTURE)
  await page.keyboard.press('b')
  await until(page, { bleed: true })
  await expect.poll(async () => (await boxOf(page, PICTURE)).width).toBeGreaterThanOrEqual(1280)
  await page.reload()
  await page.waitForFunction(() => window.oneiro?.state().phase === 'ready', undefined, { timeout: 90_000 })
  expect((await state(page)).bleed).toBe(true)
  await page.getByRole('button', { name: 'Picture over the whole window' }).click()
  await expect.poll(async () => boxOf(page, PICTURE)).toEqual(framed)
  await page.keyboard.press('?')
  await expect(page.locator('.help')).toContainText('picture over the whole window')
  await page.context().close()
})

/** The texts that cannot be read over a white picture, with their contrast. */
async function faintTexts(page: Page): Promise<string[]> {
  await paint(page, [255, 255, 255])
  const texts = await textsOf(page)
  expect(texts.length).toBeGreaterThan(8)
  const style = await page.addStyleTag({
    content: '*, *::placeholder { color: transparent !important; text-shadow: none !important }',
  })
  await page.waitForTimeout(600)
  const { data, info } = await sharp(await page.screenshot())
    .raw()
    .toBuffer({ resolveWithObject: true })
  await style.evaluate((element) => (element as Element).remove())
  return texts.flatMap(({ text, box, colour }) => {
    const ratio = contrast(colour, brightest(data, info, box))
    return ratio < 4.5 ? [`${text}: ${ratio.toFixed(2)}`] : []
  })
}

interface Text {
  readonly text: string
  readonly box: Box
  /** With its opacity, 0..1. */
  readonly colour: readonly number[]
}

/** The texts that are shown, with their colours. */
function textsOf(page: Page): Promise<Text[]> {
  return page.evaluate(() => {
    const rgba = (colour: string) => {
      const [r, g, b, a = 1] = colour.match(/[\d.]+/g)!.map(Number)
      return [r!, g!, b!, a!]
    }
    const shown = (element: Element) => {
      for (let at: Element | null = element; at; at = at.parentElement) {
        const { opacity, visibility, display } = getComputedStyle(at)
        if (Number(opacity) < 0.5 || visibility === 'hidden' || display === 'none') return false
      }
      return element.closest('.live, .veil, .help, .caps') === null
    }
    const texts: { text: string; box: Box; colour: number[] }[] = []
    const add = (text: string, element: Element, box: DOMRect, colour: string) => {
      const host = element.closest('.chips')?.getBoundingClientRect()
      // What is cut off at the end of the row of chips fades away on purpose.
      if (host && (box.left < host.left + 30 || box.right > host.right - 40)) return
      if (box.width > 1 && box.height > 1 && shown(element)) {
        const { x, y, width, height } = box
        texts.push({ text, box: { x, y, width, height }, colour: rgba(colour) })
      }
    }
    const walker = document.createTreeWalker(document.getElementById('app')!, NodeFilter.SHOW_TEXT)
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const element = node.parentElement!
      const range = document.createRange()
      range.selectNodeContents(node)
      add(node.textContent!, element, range.getBoundingClientRect(), getComputedStyle(element).color)
    }
    for (const input of document.querySelectorAll('input:not([type=range])')) {
      const colour = getComputedStyle(
        input,
        input.className === 'prompt-input' ? '::placeholder' : null,
      ).color
      add(input.getAttribute('name')!, input, input.getBoundingClientRect(), colour)
    }
    return texts
  })
}

/** The brightest of what lies under a text; single pixels do not count. */
function brightest(data: Buffer, { width, height, channels }: OutputInfo, box: Box): number[] {
  const found: number[][] = []
  for (let y = Math.max(0, Math.floor(box.y)); y < Math.min(height, box.y + box.height); y++)
    for (let x = Math.max(0, Math.floor(box.x)); x < Math.min(width, box.x + box.width); x++)
      found.push([...data.subarray((y * width + x) * channels, (y * width + x) * channels + 3)])
  found.sort((a, b) => luminance(a) - luminance(b))
  return found[Math.floor(found.length * 0.98)]!
}

function luminance(colour: readonly number[]): number {
  const [r, g, b] = colour.map((value) => {
    const c = value / 255
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!
}

/** As WCAG 2 defines it. */
function contrast(colour: readonly number[], under: readonly number[]): number {
  const alpha = colour[3]!
  const seen = under.map((value, i) => colour[i]! * alpha + value * (1 - alpha))
  const [dark, light] = [luminance(seen), luminance(under)].sort((a, b) => a - b)
  return (light! + 0.05) / (dark! + 0.05)
}
