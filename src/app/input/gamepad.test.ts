import { describe, expect, it } from 'vitest'
import { Controls } from '../../engine/controls'
import { PadReader, type PadState } from './gamepad'

function pad(x: number, y: number, pressed: number[] = []): PadState {
  return {
    index: 0,
    axes: [x, y],
    buttons: Array.from({ length: 16 }, (_, i) => ({
      pressed: pressed.includes(i),
      value: pressed.includes(i) ? 1 : 0,
    })),
  }
}

function reader() {
  const controls = new Controls()
  const pads = new PadReader({
    press: (key, direction) => controls.press(key, direction),
    release: (key) => controls.release(key),
  })
  return { controls, pads }
}

describe('PadReader', () => {
  it('steers with the stick and drives with the right trigger', () => {
    const { controls, pads } = reader()
    pads.read(pad(-0.9, 0, [7]), 0)
    expect(controls.sample()).toEqual({ steer: -1, throttle: 1 })
  })

  it('does not chatter around the threshold', () => {
    const { controls, pads } = reader()
    pads.read(pad(0.41, 0), 0)
    pads.read(pad(0.3, 0), 1)
    expect(controls.sample().steer).toBe(1)
    pads.read(pad(0.2, 0), 2)
    expect(controls.sample().steer).toBe(0)
  })

  it('lets go of everything when the pad is lost', () => {
    const { controls, pads } = reader()
    pads.read(pad(1, 1), 0)
    expect(controls.sample()).toEqual({ steer: 1, throttle: -1 })
    pads.lost(0, 1)
    expect(controls.sample()).toEqual({ steer: 0, throttle: 0 })
  })
})
