import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import type { Action } from '../../engine/controls'
import type { Telemetry } from '../../engine/world'
import { openDreamNode } from '../../model/node'
import { keepToRoad } from '../../scene/drive/lane-keeper'

const ALWAYS_RIGHT: Action = { steer: 1, throttle: 1 }

it('the dream that ships stays on its road for an agent that steers by the instruments that are dreamed', async () => {
  const { starts } = JSON.parse(await readFile('assets/drive/world.json', 'utf8'))
  const dream = await openDreamNode('assets/drive', { threads: 2 })
  const furthest = async (start: string, agent: (telemetry: Telemetry) => Action) => {
    let tick = await dream.reset({ seed: 7, start })
    let offset = 0
    for (let i = 0; i < 160; i++) {
      tick = await dream.step(agent(tick.telemetry!))
      if (i >= 40) offset = Math.max(offset, Math.abs(tick.telemetry!.offset!))
    }
    return offset
  }
  const offsets = { agent: [] as number[], right: [] as number[] }
  for (const { id } of starts.slice(0, 3)) {
    offsets.agent.push(await furthest(id, keepToRoad))
    offsets.right.push(await furthest(id, () => ALWAYS_RIGHT))
  }
  await dream.close()
  // The road is 5.2 m to either side of its middle.
  expect(Math.max(...offsets.agent)).toBeLessThan(5.2)
  expect(Math.min(...offsets.right)).toBeGreaterThan(5.2)
}, 600_000)
