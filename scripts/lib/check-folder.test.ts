import { join } from 'node:path'
import { describe, expect, test, vi } from 'vitest'
import { FakeWorld } from '../../src/engine/testing/fake-world'
import { checkFolder, heldByChance, sentences } from './check-folder'
import { root } from './run.mjs'

const opened = vi.hoisted(() => ({ world: null as unknown }))
vi.mock('../../src/node', async (original) => {
  const real = await original<typeof import('../../src/node')>()
  return {
    ...real,
    openWorld: (dir: string, options: object) => opened.world ?? real.openWorld(dir, options),
  }
})

const TINY = join(root, 'e2e/fixtures/tiny')

test.each(['e2e/fixtures/tiny', 'contract/buttons'])('%s keeps what it promises', async (dir) => {
  const found = await checkFolder(join(root, dir), { ticks: 10, threads: 1 })
  expect(found.faults).toEqual([])
  expect(found.bytes.named).toBeGreaterThan(1000)
  expect(found.bytes.folder).toBeGreaterThan(found.bytes.named)
  expect(sentences(found).join('\n')).toMatch(/bit for bit/)
})

describe('what is broken is said', () => {
  test.each([
    ['a world that does not repeat itself', { noise: () => Math.random() }, /part at tick/],
    ['a frame of another size', { width: 3 }, /A frame is/],
  ])('%s', async (_, change, sentence) => {
    const world = new FakeWorld()
    const step = world.step.bind(world)
    world.step = async (action) => {
      const tick = await step(action)
      const data = new Uint8ClampedArray(tick.frame!.data)
      if ('noise' in change) data[0] = 256 * change.noise()
      const width = 'width' in change ? change.width : tick.frame!.width
      return { ...tick, frame: { ...tick.frame!, data, width } }
    }
    opened.world = world
    const found = await checkFolder(TINY, { ticks: 12 })
    opened.world = null
    expect(found.faults.join(' ')).toMatch(sentence)
    expect(sentences(found).at(-1)).toMatch(/^fault/)
  })
})

test('controls are held as a person holds them, and by the same chance each time', () => {
  const { info } = new FakeWorld()
  const actions = heldByChance(info, 50)
  expect(actions).toEqual(heldByChance(info, 50))
  expect(actions).not.toEqual(heldByChance(info, 50, 2))
  const changes = actions.filter((action, i) => i > 0 && action !== actions[i - 1]).length
  expect(changes).toBeGreaterThan(2)
  expect(changes).toBeLessThan(20)
})
