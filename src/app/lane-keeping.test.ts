import { describe, expect, it } from 'vitest'
import type { Action } from '../engine/controls'
import type { Telemetry } from '../engine/world'
import { openDreamNode } from '../model/node'
import { keepToRoad } from '../scene/drive/lane-keeper'

const STRAIGHT_ON: Action = { steer: 0, throttle: 1 }

describe('the dream that ships', () => {
  it('stays on its road for as long as an agent steers by the instruments that are dreamed', async () => {
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
    const starts = ['meadow-noon-clear', 'snow-dusk-clear', 'forest-night-clear'] as const
    const offsets = { agent: [] as number[], nobody: [] as number[] }
    for (const start of starts) {
      offsets.agent.push(await furthest(start, keepToRoad))
      offsets.nobody.push(await furthest(start, () => STRAIGHT_ON))
    }
    await dream.close()
    // The road is 5.2 m to either side of its middle.
    expect(Math.max(...offsets.agent)).toBeLessThan(5.2)
    expect(Math.max(...offsets.nobody)).toBeGreaterThan(5.2)
  }, 600_000)
})
