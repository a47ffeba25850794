/** A link to a moment of the drive that ships, on the Node door; e2e/page-minute.spec.ts has the same on WASM. */
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { Recorder } from '../../engine/recorder'
import { replay } from '../../engine/replay'
import { Timeline } from '../../engine/timeline'
import type { World } from '../../engine/world'
import { openDreamNode } from '../../model/node'
import { SNAPSHOT_EVERY, SNAPSHOTS } from '../player/player'
import { packMoment, unpackMoment } from './moment'

const DRIVE = fileURLToPath(new URL('../../../assets/drive', import.meta.url))
const hands = (tick: number) => ({ steer: [0, 1, -1, 0, 1][Math.floor(tick / 7) % 5]!, throttle: 1 })

async function drive(world: World, from: number, to: number): Promise<void> {
  for (let tick = from + 1; tick <= to; tick++) {
    if (tick === 400) await world.setPrompt('a snowy night drive')
    await world.step(hands(tick))
  }
}

test('two minutes of past cost at most 25 MB', async () => {
  const world = await openDreamNode(DRIVE)
  const timeline = new Timeline(world, SNAPSHOTS)
  await timeline.reset({ seed: 19, prompt: 'a snowy road at sunset' })
  const bytes = Object.values(timeline.kept[0]!.state).reduce((sum, array) => sum + array.byteLength, 0)
  await world.close()
  const count = Math.floor(Math.min(SNAPSHOTS.capacity, SNAPSHOTS.maxBytes / bytes))
  expect(count * SNAPSHOT_EVERY.cpu).toBeGreaterThanOrEqual(2 * 60 * world.info.ticksPerSecond)
  expect(count * bytes).toBeLessThan(25e6)
}, 60_000)

test('a link from tick 900 leads to the frame of the original at tick 1,000, bit for bit', async () => {
  const world = await openDreamNode(DRIVE)
  const original = new Recorder(world)
  await original.reset({ seed: 19, prompt: 'a snowy road at sunset' })
  await drive(original, 0, 900)
  const link = await packMoment(original.log())
  expect(link.length).toBeLessThan(2000)
  await drive(original, 900, 1000)
  const expected = original.log().hashes.slice(900)

  const again = new Recorder(world)
  const { compared, differing } = await replay(await unpackMoment(link, world.info.controls), again)
  expect({ compared, differing }).toEqual({ compared: 1, differing: 0 })
  await drive(again, 900, 1000)
  expect(again.log().hashes.slice(900)).toEqual(expected)
  await world.close()
}, 900_000)
