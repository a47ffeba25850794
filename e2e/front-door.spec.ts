/** The front door, as a stranger's page comes through it. */
import { expect, test } from 'playwright/test'
import { type HarnessServer, startHarness } from './harness/server'

let server: HarnessServer
test.beforeAll(async () => {
  server = await startHarness({ buttons: 'contract/buttons' })
})
test.afterAll(() => server.close())

test('openWorld and play: a world on a canvas, under the keys that it names', async ({ page }) => {
  await page.goto(server.url)
  const early = await page.evaluate(async () => {
    const { openWorld, playOn } = window.harness
    const world = await openWorld('worlds/buttons/', { backend: 'wasm' })
    const canvas = document.querySelector('canvas')!
    const early = await playOn(world, canvas).catch((error: { code: string }) => error.code)
    await world.reset({ seed: 7 })
    const actions: unknown[] = []
    const playing = await playOn(world, canvas, {
      keys: true,
      onEvent: (event) => event.type === 'tick' && actions.push(event.action),
    })
    Object.assign(window, { world, playing, actions })
    return early
  })
  expect(early).toBe('NOT_READY')
  const newest = () => page.evaluate(() => (window as unknown as { actions: unknown[] }).actions.at(-1))
  await expect.poll(newest).toEqual({ red: 0, green: 0, blue: 0 })
  await page.keyboard.down('j')
  await expect.poll(newest).toEqual({ red: 1, green: 0, blue: 0 })
  await page.evaluate(() => window.dispatchEvent(new Event('blur')))
  await expect.poll(newest).toEqual({ red: 0, green: 0, blue: 0 })
  const seen = await page.evaluate(async () => {
    const { playing, world } = window as unknown as {
      playing: { stop(): void }
      world: { close(): Promise<void> }
    }
    playing.stop()
    playing.stop()
    const canvas = document.querySelector('canvas')!
    const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height)
    await world.close()
    return { size: [canvas.width, canvas.height], colours: new Set(data).size }
  })
  expect(seen.size).toEqual([64, 48])
  expect(seen.colours).toBeGreaterThan(16)
})
