import { describe, expect, it } from 'vitest'
import { Driver } from './driver'
import { PhotonMeter } from './meters'

function driver(cruise: boolean) {
  const photons = new PhotonMeter()
  const heard: unknown[] = []
  return { photons, heard, driver: new Driver(cruise, photons, (held, on) => heard.push([held, on])) }
}

describe('Driver', () => {
  it('cruises until the first throttle or brake key, steering included', () => {
    const { driver: d } = driver(true)
    expect(d.sample()).toEqual({ steer: 0, throttle: 1 })
    d.press('ArrowLeft', 'left', 1)
    expect(d.sample()).toEqual({ steer: -1, throttle: 1 })
    d.press('ArrowDown', 'down', 2)
    d.release('ArrowDown', 3)
    expect(d.sample()).toEqual({ steer: -1, throttle: 0 })
  })

  it('stamps the first change of what is held, and not a repeat', () => {
    const { driver: d, photons } = driver(false)
    d.press('ArrowUp', 'up', 10)
    d.press('KeyW', 'up', 20)
    photons.sampled(25)
    photons.presented(40)
    expect(photons.samples.percentile(1)).toBe(30)
  })

  it('clears what is held and tells the page', () => {
    const { driver: d, heard } = driver(false)
    d.press('ArrowUp', 'up', 1)
    d.clear()
    expect(d.sample()).toEqual({ steer: 0, throttle: 0 })
    expect(heard.at(-1)).toEqual([{ steer: 0, throttle: 0 }, false])
  })

  it('lets a script override the keys until it gives them back', () => {
    const { driver: d } = driver(false)
    d.press('ArrowUp', 'up', 1)
    d.script({ steer: 1, throttle: -1 })
    expect(d.sample()).toEqual({ steer: 1, throttle: -1 })
    d.script(null)
    expect(d.sample()).toEqual({ steer: 0, throttle: 1 })
  })
})
