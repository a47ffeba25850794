/**
 * Drives of the simulator by their instruments, without pictures, for an agent in Python: reads a line of JSON, answers a
 * line of JSON.
 *
 *     {"reset": [[0, 7], [1, 8]]}              place 0 begins with seed 7, place 1 with seed 8
 *     {"step": [{"steer": 0, "throttle": 1}, "keep"]}   a tick of every place; "keep" asks the lane keeper
 *
 * The answer has of each place (of each that began) its readings in the order of the manifest, reward and end.
 */
import { createInterface } from 'node:readline'
import type { DriveAction } from '../../../src/scene/drive/controls'
import { keepToRoad } from '../../../src/scene/drive/lane-keeper'
import { Simulation } from '../../../src/scene/drive/simulation'
import { doneOf, rewardOf, TELEMETRY } from '../../../src/scene/drive/telemetry'

/** How it looks changes nothing that instruments read. */
const SETTING = { biome: 'meadow', time: 'noon', weather: 'clear' } as const

type Asked = { reset: [place: number, seed: number][] } | { step: (DriveAction | 'keep')[] }

const drives: Simulation[] = []

function told(drive: Simulation) {
  const reading = drive.reading()
  const readings = TELEMETRY.map(({ name }) => reading[name])
  return { readings, reward: rewardOf(reading), done: doneOf(reading) }
}

function answer(asked: Asked) {
  if ('reset' in asked)
    return asked.reset.map(([place, seed]) => {
      const drive = new Simulation(seed, SETTING)
      drives[place] = drive
      return told(drive)
    })
  return asked.step.map((action, place) => {
    const drive = drives[place]!
    drive.step(action === 'keep' ? keepToRoad(drive.reading()) : action)
    return told(drive)
  })
}

for await (const line of createInterface({ input: process.stdin }))
  process.stdout.write(`${JSON.stringify(answer(JSON.parse(line)))}\n`)
