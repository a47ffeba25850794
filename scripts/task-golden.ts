/** Writes contract/drive/task.golden.json, which vitest and pytest both test against: `npx tsx scripts/task-golden.ts`. */
import { writeFileSync } from 'node:fs'
import { Rng } from '../src/engine/random'
import { doneOf, rewardOf } from '../src/scene/drive/telemetry'

/** At the limits of the road, the bank, a crash's speed and the time beside the road, and on both sides of each. */
const edges = [
  { speed: 10, offset: 0, heading: 0, stuck: 0 },
  { speed: 10, offset: 6.6, heading: Math.PI / 3, stuck: 0 },
  { speed: 10, offset: -6.600000000000001, heading: -Math.PI / 3, stuck: 0 },
  { speed: 20, offset: 7.2, heading: 0.3, stuck: 0.5 },
  { speed: 20, offset: -7.2, heading: -0.3, stuck: 0 },
  { speed: 19.999999999999996, offset: 7.2, heading: 0.3, stuck: 0 },
  { speed: 20, offset: 7.199999999999999, heading: 3, stuck: 0 },
  { speed: 0, offset: 7, heading: 7, stuck: 1 },
  { speed: -2, offset: 7, heading: -7, stuck: 59 / 60 },
]
const rng = new Rng(20261129)
const drawn = Array.from({ length: 60 }, () => ({
  speed: rng.uniform(-5, 40),
  offset: rng.uniform(-9, 9),
  heading: rng.uniform(-10, 10),
  stuck: rng.uniform(-0.1, 1.1),
}))
const cases = [...edges, ...drawn].map((telemetry) => ({
  telemetry,
  reward: rewardOf(telemetry),
  done: doneOf(telemetry),
}))
const path = new URL('../contract/drive/task.golden.json', import.meta.url)
writeFileSync(path, `[\n${cases.map((one) => ` ${JSON.stringify(one)}`).join(',\n')}\n]\n`)
