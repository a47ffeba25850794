import { fileURLToPath } from 'node:url'
import { expect, test } from 'playwright/test'
import { ServerChild } from '../bench/serve-child'
import { startLine } from './cuttable-line'
import { difference, openPage, pixels, reach, serveTiny, state, step, until, wake } from './page-driver'

test.describe.configure({ timeout: 300_000 })

const TINY = fileURLToPath(new URL('./fixtures/tiny/', import.meta.url))
/** Milliseconds that the line is cut for. */
const CUT_MS = 20_000
/** What rounding a latent for the wire may cost, of 255; the frame before is further away. */
const TOLERANCE = 8

let server: ServerChild
let line: Awaited<ReturnType<typeof startLine>>

test.beforeAll(async () => {
  server = await ServerChild.start(['--world', TINY, '--port', '0', '--threads', '1'])
  line = await startLine(server.port)
})
test.afterAll(async () => {
  line.stop()
  await server.stop()
})
test.beforeEach(({ page }) => serveTiny(page))

const there = () => ({ url: `ws://localhost:${line.port}` })

test('a drive goes over to a server and back without losing a tick', async ({ page }) => {
  await openPage(page, { backend: 'wasm', clock: 'lockstep' })
  await step(page, { steer: 1, throttle: 1 }, 20)
  const fork = await page.evaluate(() => window.oneiro!.snapshot())
  const before = await pixels(page)
  await step(page, { steer: -1, throttle: 1 })
  const here = await pixels(page)
  await page.evaluate((snapshot) => window.oneiro!.player.restore(snapshot), fork)
  await test.step('the next frame is the same there', async () => {
    await page.evaluate((server) => window.oneiro!.setPlace('server', server), there())
    expect(await state(page)).toMatchObject({ place: 'server', tick: 20, shown: 'dream' })
    expect(await step(page, { steer: -1, throttle: 1 })).toBe(21)
    const off = difference(here, await pixels(page))
    expect(off).toBeLessThan(TOLERANCE)
    expect(off).toBeLessThan(difference(here, before))
  })
  await test.step('and the one after it here again', async () => {
    const fork = await page.evaluate(() => window.oneiro!.snapshot())
    expect(await step(page)).toBe(22)
    const far = await pixels(page)
    await page.evaluate((snapshot) => window.oneiro!.player.restore(snapshot), fork)
    await page.evaluate(() => window.oneiro!.setPlace('device'))
    expect(await state(page)).toMatchObject({ place: 'device', tick: 21, backend: 'WASM' })
    expect(await step(page)).toBe(22)
    expect(difference(far, await pixels(page))).toBeLessThan(TOLERANCE)
  })
})

test('plays on a server in real time, named by hand, and survives a cut line', async ({ page }) => {
  await openPage(page, { backend: 'wasm' })
  await reach(page, 5)
  await test.step('the panel takes its address', async () => {
    await wake(page)
    await page.getByTitle('Which machine dreams').click()
    await page.getByLabel('Address of the server').fill(`localhost:${line.port}`)
    await page.getByRole('button', { name: 'Dream there' }).click()
    await until(page, { place: 'server', moving: null, shown: 'dream', failure: null })
    await expect(page.locator('.place')).toHaveText(`localhost:${line.port}`)
  })
  const { tick } = await state(page)
  expect(tick).toBeGreaterThanOrEqual(5)
  await reach(page, tick + 20)
  await test.step('keys and words reach it', async () => {
    await page.keyboard.down('ArrowLeft')
    await until(page, { action: { steer: -1, throttle: 0 } })
    await page.keyboard.up('ArrowLeft')
    await page.evaluate(() => window.oneiro!.setPrompt('a snowy night drive'))
    await until(page, { prompt: 'a snowy night drive' })
  })
  await test.step('pausing stops the server too, and a single step is one tick', async () => {
    await page.keyboard.press('Space')
    await until(page, { paused: 'user' })
    const stopped = await step(page)
    expect(await step(page)).toBe(stopped + 1)
    await page.keyboard.press('Space')
    await reach(page, stopped + 10)
  })
  await test.step('it goes back a second without the server, and on from there', async () => {
    await page.keyboard.press('Space')
    await until(page, { paused: 'user' })
    const tick = await step(page)
    expect(await state(page)).toMatchObject({ tick, past: { to: tick } })
    const before = await pixels(page)
    await page.keyboard.press('Backspace')
    // To the newest frame before it where that one was not sent.
    await expect.poll(async () => (await state(page)).tick).toBeLessThanOrEqual(tick - 20)
    const back = (await state(page)).tick
    expect(difference(before, await pixels(page))).toBeGreaterThan(0)
    expect(await step(page)).toBe(back + 1)
    expect(await state(page)).toMatchObject({ place: 'server', past: { to: back + 1 } })
    await page.keyboard.press('Space')
    await reach(page, back + 10)
  })
  await test.step('the line is cut, and the drive goes on when it is back', async () => {
    line.cut()
    await expect(page.getByText('The server does not answer. Trying again.')).toBeVisible()
    await page.waitForTimeout(CUT_MS)
    const { tick } = await state(page)
    line.mend()
    await reach(page, tick + 20)
    expect(await state(page)).toMatchObject({ place: 'server', failure: null })
  })
})

test('a server that is not there leaves the drive where it is', async ({ page }) => {
  await openPage(page, { backend: 'wasm', clock: 'lockstep' })
  await step(page)
  await page.evaluate(() => window.oneiro!.setPlace('server', { url: 'ws://localhost:9' }))
  await expect(page.getByText(/The server cannot be reached/)).toBeVisible()
  expect(await state(page)).toMatchObject({ place: 'device', moving: null, failure: null, tick: 1 })
  expect(await step(page)).toBe(2)
})

test('a server that died and came back with nothing hands the drive to this device, which plays on', async ({
  page,
}) => {
  const doomed = await ServerChild.start(['--world', TINY, '--port', '0', '--threads', '1'])
  const way = await startLine(doomed.port)
  try {
    await openPage(page, { backend: 'wasm' })
    await page.evaluate((url) => window.oneiro!.setPlace('server', { url }), `ws://localhost:${way.port}`)
    await until(page, { place: 'server' })
    await reach(page, (await state(page)).tick + 20)
    way.cut()
    await doomed.stop('SIGKILL')
    const { tick } = await state(page)
    way.mend(server.port)
    await expect(page.getByText(/This device dreams on, from what was seen last/)).toBeVisible({
      timeout: 90_000,
    })
    await until(page, { place: 'device', shown: 'dream', failure: null, paused: null, backend: 'WASM' })
    await reach(page, tick + 10)
  } finally {
    way.stop()
    await doomed.stop('SIGKILL')
  }
})

test('a link to the server of a stranger is asked about, and plays here meanwhile', async ({ page }) => {
  const asked: string[] = []
  page.on('websocket', (socket) => asked.push(socket.url()))
  await openPage(page, { backend: 'wasm', server: 'ws://stranger.example:7700' })
  await expect(page.getByText(/leads to the server ws:\/\/stranger.example:7700/)).toBeVisible()
  await expect(page.getByLabel('Address of the server')).toHaveValue('ws://stranger.example:7700')
  expect(await state(page)).toMatchObject({ place: 'device', shown: 'dream', choosing: true })
  expect(asked.filter((url) => url.includes('stranger'))).toEqual([])
})
