import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { Simulation } from '../../../src/scene/drive/simulation'
import { doneOf, rewardOf, TELEMETRY } from '../../../src/scene/drive/telemetry'

/** What the process answers to these lines. */
function asked(...lines: unknown[]) {
  const input = lines.map((line) => JSON.stringify(line)).join('\n')
  const { stdout, status, stderr } = spawnSync('npx', ['tsx', 'clients/python/proof/simulator.ts'], {
    ...{ input, encoding: 'utf8' },
  })
  expect(status, stderr).toBe(0)
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
}

test('an agent drives the simulator itself, several places at once', { timeout: 60_000 }, () => {
  const action = { steer: 1, throttle: 1 } as const
  const [begun, first, second, anew] = asked(
    ...[
      {
        reset: [
          [0, 7],
          [1, 8],
        ],
      },
      { step: [action, 'keep'] },
      { step: [action, 'keep'] },
      { reset: [[1, 7]] },
    ],
  )
  const drive = new Simulation(7, { biome: 'snow', time: 'night', weather: 'fog' })
  const told = () => {
    const reading = drive.reading()
    const readings = TELEMETRY.map(({ name }) => reading[name])
    return { readings, reward: rewardOf(reading), done: doneOf(reading) }
  }
  expect([begun[0], anew[0]]).toEqual([told(), told()])
  drive.step(action)
  expect(first[0]).toEqual(told())
  drive.step(action)
  expect(second[0]).toEqual(told())
  expect(second[1].readings).not.toEqual(second[0].readings)
})
