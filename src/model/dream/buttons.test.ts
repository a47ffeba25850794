import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { checkWorld } from '../../engine/testing/world-suite'
import { openDreamNode } from '../node'

const BUTTONS = fileURLToPath(new URL('../../../contract/buttons', import.meta.url))

checkWorld('a world of three buttons, without a prompt', {
  open: () => openDreamNode(BUTTONS, { threads: 1 }),
  starts: ['dim', 'bright'],
})

test('it says what it is and what it lacks, and every button is seen', async () => {
  const world = await openDreamNode(BUTTONS, { threads: 1 })
  const { controls, prompt, telemetry, reward, done } = world.info
  expect(controls.map(({ name, kind }) => `${kind} ${name}`)).toEqual([
    'button red',
    'button green',
    'button blue',
  ])
  expect({ prompt, telemetry, reward, done }).toEqual({
    ...{ prompt: false, telemetry: [], reward: false, done: false },
  })
  const seen = async (held: object) => {
    await world.reset({ seed: 3, start: 'dim' })
    const off = { red: 0, green: 0, blue: 0 }
    for (let i = 0; i < 3; i++) await world.step({ ...off, ...held })
    const sums = [0, 0, 0]
    for (const [i, value] of (await world.readPixels()).data.entries()) if (i % 4 < 3) sums[i % 4]! += value
    return sums
  }
  const dark = await seen({})
  for (const [colour, name] of ['red', 'green', 'blue'].entries()) {
    const lit = await seen({ [name]: 1 })
    const gains = lit.map((sum, i) => sum - dark[i]!)
    expect(gains.indexOf(Math.max(...gains))).toBe(colour)
  }
  await world.close()
})
