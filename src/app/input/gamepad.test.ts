import { afterEach, describe, expect, it, vi } from 'vitest'
import { spaceOf } from '../../engine/controls'
import { HeldKeys } from '../../engine/held-keys'
import { DRIVE_CONTROLS } from '../../scene/drive/controls'
import { attachGamepads, PadReader, type PadState } from './gamepad'

const space = spaceOf(DRIVE_CONTROLS)
const { moves, idle: IDLE } = space

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
  const keys = new HeldKeys()
  const pads = new PadReader({
    moves: () => moves,
    press: (key, move) => keys.press(key, move),
    release: (key) => keys.release(key),
  })
  return { keys, pads }
}

/** One that has rested since it was connected. */
function rested() {
  const made = reader()
  made.pads.read(pad(0, 0), -200)
  made.pads.read(pad(0, 0), -1)
  return made
}

describe('PadReader', () => {
  it('steers with the stick and drives with the right trigger', () => {
    const { keys, pads } = rested()
    pads.read(pad(-0.9, 0, [7]), 0)
    expect(keys.sample(space)).toEqual({ steer: -1, throttle: 1 })
  })

  it('does not chatter around the threshold', () => {
    const { keys, pads } = rested()
    pads.read(pad(0.56, 0), 0)
    pads.read(pad(0.5, 0), 1)
    expect(keys.sample(space).steer).toBe(1)
    pads.read(pad(0.4, 0), 2)
    expect(keys.sample(space).steer).toBe(0)
  })

  it('lets go of everything when the pad is lost', () => {
    const { keys, pads } = rested()
    pads.read(pad(1, 1), 0)
    expect(keys.sample(space)).toEqual({ steer: 1, throttle: -1 })
    pads.lost(0, 1)
    expect(keys.sample(space)).toEqual({ steer: 0, throttle: 0 })
  })

  it('does not drive by an axis that rests at -1, not even after it was pulled through', () => {
    const { keys, pads } = reader()
    for (let ms = 0; ms < 1000; ms += 8) pads.read(pad(-1, -1), ms)
    expect(keys.sample(space)).toEqual(IDLE)
    for (let ms = 1000; ms < 1080; ms += 8) pads.read(pad(-1, (ms - 1000) / 40 - 1), ms)
    for (let ms = 1080; ms < 2000; ms += 8) pads.read(pad(-1, -1), ms)
    expect(keys.sample(space)).toEqual(IDLE)
  })

  it('does not drive by a stick that drifts at 0.4, before and after it was used', () => {
    const { keys, pads } = reader()
    for (let ms = 0; ms < 1000; ms += 8) pads.read(pad(0.4, 0.4), ms)
    expect(keys.sample(space)).toEqual(IDLE)
    const used = rested()
    used.pads.read(pad(1, 0), 1)
    expect(used.keys.sample(space).steer).toBe(1)
    used.pads.read(pad(0.4, 0.4), 2)
    expect(used.keys.sample(space)).toEqual(IDLE)
  })

  it('does not drive by a button that was down when the pad came', () => {
    const { keys, pads } = reader()
    for (let ms = 0; ms < 1000; ms += 8) pads.read(pad(0, 0, [7]), ms)
    expect(keys.sample(space)).toEqual(IDLE)
  })

  it('waits for another pad in the same place to rest anew', () => {
    const { keys, pads } = rested()
    pads.lost(0, 1)
    pads.read(pad(-1, 0), 2)
    expect(keys.sample(space)).toEqual(IDLE)
  })
})

describe('attachGamepads', () => {
  afterEach(() => {
    vi.useRealTimers()
    vi.unstubAllGlobals()
  })

  it('reads a pad that was connected before the page was ready', () => {
    vi.useFakeTimers()
    let now = pad(0, 0)
    vi.stubGlobal('window', new EventTarget())
    vi.stubGlobal('navigator', { getGamepads: () => [null, now] })
    const press = vi.fn()
    const stop = attachGamepads({ moves: () => moves, press, release: () => {} })
    vi.advanceTimersByTime(400)
    now = pad(1, 0)
    vi.advanceTimersByTime(16)
    expect(press).toHaveBeenCalledWith('pad0-steer1', moves[1], expect.any(Number))
    stop()
  })
})
