import { describe, expect, it, vi } from 'vitest'
import type { LoopEvent } from '../../engine/loop'
import type { World } from '../../engine/world'
import { createAppStore } from '../store'
import { Sound } from './sound'
import { NO_AUDIO, openSynth, type Synth } from './synth'

const world = {} as World
const tick = (telemetry: object) =>
  ({
    type: 'tick',
    tick: { index: 1, epoch: 1, frame: null, telemetry, timings: {} },
  }) as unknown as LoopEvent

function setup(open?: () => Promise<Synth>) {
  const synth = { play: vi.fn(), hush: vi.fn(), close: vi.fn() }
  const store = createAppStore()
  const opens = vi.fn(open ?? (async () => synth))
  return { store, synth, opens, sound: new Sound(store, opens) }
}

describe('sound', () => {
  it('is off until asked for, and falls silent with the drive', async () => {
    const { store, synth, opens, sound } = setup()
    sound.touched()
    sound.hear(tick({ speed: 9 }), world)
    expect(opens).not.toHaveBeenCalled()
    sound.toggle()
    await vi.waitFor(() => {
      sound.hear(tick({ speed: 9 }), world)
      expect(synth.play).toHaveBeenCalledWith(expect.objectContaining({ rain: 0 }))
    }, 10_000)
    store.setState({ heard: { values: { weather: 'rain' }, tick: 1, labels: null } })
    sound.hear(tick({ speed: 9 }), world)
    expect(synth.play).toHaveBeenLastCalledWith(expect.objectContaining({ rain: 1 }))
    sound.hear({ type: 'state', playing: false }, world)
    expect(synth.hush).toHaveBeenCalledOnce()
    sound.toggle()
    const played = synth.play.mock.calls.length
    sound.hear(tick({ speed: 9 }), world)
    expect(synth.play).toHaveBeenCalledTimes(played)
    sound.toggle()
    expect(opens).toHaveBeenCalledOnce()
  })

  it('begins with the first touch where it was wanted before', async () => {
    const { store, opens, sound } = setup()
    store.setState({ sound: true })
    expect(opens).not.toHaveBeenCalled()
    sound.touched()
    expect(opens).toHaveBeenCalledOnce()
  })

  it('says a sentence where there is no audio device, is off then, and may be tried again', async () => {
    const { store, opens, sound } = setup(() => openSynth(undefined))
    sound.toggle()
    await vi.waitFor(() => expect(store.getState().notices.at(-1)?.text).toBe(NO_AUDIO), 10_000)
    expect(store.getState().sound).toBe(false)
    sound.toggle()
    expect(opens).toHaveBeenCalledTimes(2)
  })
})

it('a device that cannot be opened, or never answers, is none', async () => {
  class Refused {
    constructor() {
      throw new Error('NotSupportedError')
    }
  }
  const close = vi.fn(async () => {})
  class Silent {
    resume = () => new Promise(() => {})
    close = close
  }
  await expect(openSynth(Refused as unknown as typeof AudioContext)).rejects.toThrow(NO_AUDIO)
  await expect(openSynth(Silent as unknown as typeof AudioContext)).rejects.toThrow(NO_AUDIO)
  expect(close).toHaveBeenCalledOnce()
})
