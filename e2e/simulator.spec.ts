/** The simulator as a picture: known seeds, words and actions against stored frames. */
import { expect, test } from 'playwright/test'

const SCENES = [
  { name: 'meadow-noon', seed: 3, prompt: 'a green meadow at noon, clear' },
  { name: 'snow-night-snowfall', seed: 5, prompt: 'a snowy night with snowflakes falling' },
  { name: 'volcano-dusk', seed: 8, prompt: 'lava fields at dusk, clear' },
  { name: 'forest-dawn-fog', seed: 13, prompt: 'foggy morning in the woods' },
  { name: 'desert-noon-rain', seed: 21, prompt: 'a desert at noon in the rain' },
]

for (const { name, seed, prompt } of SCENES) {
  test(`the simulator draws ${name} as it did`, async ({ page }) => {
    await page.goto(`/?world=simulator&clock=lockstep&seed=${seed}&prompt=${encodeURIComponent(prompt)}`)
    const url = await page.evaluate(async () => {
      await window.oneiro!.ready
      for (let i = 0; i < 25; i++) await window.oneiro!.step({ steer: i < 12 ? 0 : 1, throttle: 1 })
      const { width, height, data } = await window.oneiro!.readPixels()
      const canvas = Object.assign(document.createElement('canvas'), { width, height })
      canvas.getContext('2d')!.putImageData(new ImageData(new Uint8ClampedArray(data), width, height), 0, 0)
      return canvas.toDataURL('image/png')
    })
    const png = Buffer.from(url.split(',')[1]!, 'base64')
    // Rasterisers differ at edges; a thing that is missing or of another colour covers far more.
    expect(png).toMatchSnapshot(`${name}.png`, { threshold: 0.2, maxDiffPixelRatio: 0.03 })
  })
}

test('the same seed and actions give the same frames twice', async ({ page }) => {
  await page.goto('/?world=simulator&clock=lockstep&seed=7')
  const [first, second] = await page.evaluate(async () => {
    await window.oneiro!.ready
    const run = async () => {
      await window.oneiro!.reset(7)
      for (let i = 0; i < 15; i++) await window.oneiro!.step({ steer: i % 2 ? 1 : 0, throttle: 1 })
      return [...(await window.oneiro!.readPixels()).data].join()
    }
    return [await run(), await run()]
  })
  expect(second).toBe(first)
})

test('a damaged snapshot is refused, and the drive goes on', async ({ page }) => {
  await page.goto('/?world=simulator&clock=lockstep&seed=7')
  const { said, index } = await page.evaluate(async () => {
    const { ready, player, step, snapshot } = window.oneiro!
    await ready
    await step({ steer: 0, throttle: 1 })
    const whole = await snapshot()
    const { simulation, setting } = whole.state as { simulation: Float64Array; setting: Uint8Array }
    const nothing = simulation.map(() => Number.NaN)
    const damaged = [
      { ...whole, state: { setting, simulation: simulation.slice(0, 2) } },
      { ...whole, state: { setting, simulation: nothing } },
      { ...whole, seed: -1 },
    ]
    const said: string[] = []
    for (const one of damaged)
      said.push(
        await player.restore(one).then(
          () => 'taken',
          (error) => error.message,
        ),
      )
    return { said, index: (await step({ steer: 0, throttle: 1 }))?.index }
  })
  expect(said).toEqual([
    expect.stringContaining('finite numbers, but 2 came'),
    expect.stringContaining('or one is none'),
    expect.stringContaining('-1 came'),
  ])
  expect(index).toBe(2)
})
