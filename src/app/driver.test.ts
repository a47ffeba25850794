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

  it('cruise keeps to the road where the instruments tell of one, and leaves steering to a person', () => {
    const { driver: d } = driver(true)
    const onCourse = { speed: 21, wheel: 0, offset: 0, heading: 0, curvature: 0, curvatureAhead: 0 }
    d.see({ ...onCourse, offset: 3, speed: 12 })
    expect(d.sample()).toEqual({ steer: -1, throttle: 1 })
    d.see({ ...onCourse, curvature: 0.01, curvatureAhead: 0.01 })
    expect(d.sample()).toEqual({ steer: 1, throttle: 0 })
    d.press('ArrowLeft', 'left', 1)
    expect(d.sample()).toEqual({ steer: -1, throttle: 1 })
    d.release('ArrowLeft', 2)
    d.see({ speed: 21 })
    expect(d.sample()).toEqual({ steer: 0, throttle: 1 })
    d.see(onCourse)
    d.cruise = false
    expect(d.sample()).toEqual({ steer: 0, throttle: 0 })
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
