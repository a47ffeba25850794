import { expect, it } from 'vitest'
import type { Pixels } from '../../engine/world'
import { LastingStage } from './lasting-stage'
import type { StageFace } from './types'

const PIXELS: Pixels = { width: 1, height: 1, data: new Uint8ClampedArray(4) }

function fakeStage(software: boolean) {
  const calls: unknown[][] = []
  const note =
    (name: string) =>
    (...args: unknown[]) =>
      void calls.push([name, ...args])
  const stage: StageFace = {
    software,
    show: note('show'),
    setDim: note('setDim'),
    setFraming: note('setFraming'),
    onFrames: note('onFrames'),
    present: note('present'),
    attach: note('attach'),
    touch: note('touch'),
    onOwnSize: note('onOwnSize'),
    close: note('close'),
  }
  return { stage, calls }
}

it('goes on with the picture, the dimming and the panes on another stage', () => {
  const first = fakeStage(false)
  const second = fakeStage(true)
  const lasting = new LastingStage(first.stage)
  const canvas = {} as HTMLCanvasElement
  const heard = () => {}
  const framing = { full: false, top: 90, bottom: 120 }
  lasting.onOwnSize(heard)
  lasting.show(2)
  lasting.setDim(0.5)
  lasting.setFraming(framing)
  lasting.onFrames(heard)
  lasting.attach(0, canvas)
  lasting.present(1, PIXELS)
  lasting.replace(() => second.stage)
  expect(first.calls.at(-1)).toEqual(['close'])
  expect(lasting.software).toBe(true)
  expect(second.calls).toEqual([
    ['show', 2, false],
    ['setDim', 0.5],
    ['setFraming', framing],
    ['onFrames', heard],
    ['onOwnSize', heard],
    ['present', 1, PIXELS],
    ['attach', 0, canvas],
  ])
  lasting.present(1, PIXELS)
  expect(second.calls).toHaveLength(8)
})
