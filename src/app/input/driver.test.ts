import { describe, expect, it } from 'vitest'
import { type Move, spaceOf } from '../../engine/controls'
import { DRIVE_CONTROLS } from '../../scene/drive/controls'
import { PhotonMeter } from '../meters'
import { Driver } from './driver'

const space = spaceOf(DRIVE_CONTROLS)
const [LEFT, , BRAKE, GO] = space.moves as [Move, Move, Move, Move]

function driver(cruise: boolean, assist = false) {
  const photons = new PhotonMeter()
  const heard: unknown[] = []
  const clock = { ms: 0 }
  const hear = (news: unknown) => heard.push(news)
  const driver = new Driver({ cruise, assist }, photons, hear, () => clock.ms)
  driver.enter(space)
  return { photons, heard, clock, driver }
}

describe('Driver', () => {
  it('cruises while a person steers, and not while one drives', () => {
    const { driver: d } = driver(true)
    expect(d.sample(space)).toEqual({ steer: 0, throttle: 1 })
    d.press('ArrowLeft', LEFT, 1)
    expect(d.sample(space)).toEqual({ steer: -1, throttle: 1 })
    d.press('ArrowDown', BRAKE, 2)
    d.release('ArrowDown', 3)
    expect(d.sample(space)).toEqual({ steer: -1, throttle: 0 })
  })

  it('cruises again two seconds after the last key was let go', () => {
    const { driver: d, clock } = driver(true)
    d.press('ArrowUp', GO, 0)
    clock.ms = 100
    d.release('ArrowUp', 100)
    d.press('ArrowLeft', LEFT, 100)
    clock.ms = 9000
    expect(d.sample(space)).toEqual({ steer: -1, throttle: 0 })
    d.release('ArrowLeft', 9000)
    clock.ms = 10_999
    expect(d.sample(space)).toEqual({ steer: 0, throttle: 0 })
    clock.ms = 11_000
    expect(d.sample(space)).toEqual({ steer: 0, throttle: 1 })
  })

  it('cruises again after the keys were taken away, as by a reset, and at once where it is switched on', () => {
    const { driver: d, clock, heard } = driver(true)
    d.press('ArrowDown', BRAKE, 0)
    d.clear()
    clock.ms = 1999
    expect(d.sample(space)).toEqual({ steer: 0, throttle: 0 })
    clock.ms = 2000
    expect(d.sample(space)).toEqual({ steer: 0, throttle: 1 })
    d.press('ArrowDown', BRAKE, 2000)
    d.release('ArrowDown', 2010)
    expect(heard.at(-1)).toEqual({ held: { steer: 0, throttle: 0 }, cruise: true, assist: false })
    d.cruise = true
    expect(d.sample(space)).toEqual({ steer: 0, throttle: 1 })
  })

  it('stays off where it was switched off', () => {
    const { driver: d, clock } = driver(true)
    d.cruise = false
    d.press('ArrowUp', GO, 0)
    d.release('ArrowUp', 1)
    clock.ms = 9000
    expect(d.sample(space)).toEqual({ steer: 0, throttle: 0 })
  })

  it('refuses a script that is no action', () => {
    const { driver: d } = driver(false)
    expect(() => d.script({ steer: 0.5, throttle: 1 } as never)).toThrow(/"steer".*0.5 came/)
    expect(d.sample(space)).toEqual({ steer: 0, throttle: 0 })
  })

  it('cruise keeps to the road where the instruments tell of one, and leaves steering to a person', () => {
    const { driver: d } = driver(true)
    const onCourse = { speed: 21, wheel: 0, offset: 0, heading: 0, curvature: 0, bendNear: 0 }
    d.see({ ...onCourse, offset: 3, speed: 12 }, 1)
    expect(d.sample(space)).toEqual({ steer: -1, throttle: 1 })
    d.see({ ...onCourse, curvature: 0.03, bendNear: 0.03 }, 2)
    expect(d.sample(space)).toEqual({ steer: 1, throttle: 0 })
    d.press('ArrowLeft', LEFT, 1)
    expect(d.sample(space)).toEqual({ steer: -1, throttle: 1 })
    d.release('ArrowLeft', 2)
    d.see({ speed: 21 }, 3)
    expect(d.sample(space)).toEqual({ steer: 0, throttle: 1 })
    d.see(onCourse, 4)
    d.cruise = false
    expect(d.sample(space)).toEqual({ steer: 0, throttle: 0 })
  })

  it('keeps a person on the road while hands are on, and only then', () => {
    const { driver: d, clock } = driver(false, true)
    const outward = { speed: 25, wheel: -0.5, offset: -4, heading: -0.1, curvature: 0, bendNear: 0 }
    d.see(outward, 1)
    expect(d.sample(space)).toEqual({ steer: 0, throttle: 0 })
    d.press('ArrowLeft', LEFT, 0)
    d.press('ArrowUp', GO, 0)
    expect(d.sample(space)).toEqual({ steer: 1, throttle: 1 })
    d.see({ ...outward, wheel: 0, offset: 0, heading: 0 }, 2)
    expect(d.sample(space)).toEqual({ steer: -1, throttle: 1 })
    d.see(outward, 3)
    d.release('ArrowLeft', 0)
    d.release('ArrowUp', 0)
    clock.ms = 1999
    expect(d.sample(space)).toEqual({ steer: 1, throttle: 0 })
    clock.ms = 2000
    expect(d.sample(space)).toEqual({ steer: 0, throttle: 0 })
    d.press('ArrowLeft', LEFT, 2000)
    d.assist = false
    expect(d.sample(space)).toEqual({ steer: -1, throttle: 0 })
  })

  it('helps who turns under cruise, which keeps the throttle', () => {
    const { driver: d } = driver(true, true)
    d.press('ArrowLeft', LEFT, 0)
    d.see({ speed: 25, wheel: -0.5, offset: -4, heading: -0.1, curvature: 0, bendNear: 0 }, 1)
    expect(d.sample(space)).toEqual({ steer: 1, throttle: 1 })
  })

  it('says since when the drive has been broken, but not in the hands of a script', () => {
    const { driver: d } = driver(true)
    d.see({ speed: 22, offset: 0, stuck: 0 }, 4)
    expect(d.wellBefore).toBeNull()
    d.see({ speed: 22, offset: 8, stuck: 0 }, 9)
    expect(d.wellBefore).toBe(4)
    d.script({ steer: 0, throttle: 1 })
    expect(d.wellBefore).toBeNull()
  })

  it('takes hands for off after a rest, so that cruise drives at once', () => {
    const { driver: d } = driver(true)
    d.press('ArrowDown', BRAKE, 0)
    d.clear()
    expect(d.handsOn).toBe(true)
    d.rest()
    expect(d.handsOn).toBe(false)
    expect(d.sample(space)).toEqual({ steer: 0, throttle: 1 })
  })

  it('stamps the first change of what is held, and not a repeat', () => {
    const { driver: d, photons } = driver(false)
    d.press('ArrowUp', GO, 10)
    d.press('KeyW', GO, 20)
    photons.sampled(25)
    photons.presented(40)
    expect(photons.samples.percentile(1)).toBe(30)
  })

  it('clears what is held and tells the page', () => {
    const { driver: d, heard } = driver(false)
    d.press('ArrowUp', GO, 1)
    d.clear()
    expect(d.sample(space)).toEqual({ steer: 0, throttle: 0 })
    expect(heard.at(-1)).toEqual({ held: { steer: 0, throttle: 0 }, cruise: false, assist: false })
  })

  it('lets a script override the keys until it gives them back', () => {
    const { driver: d } = driver(false)
    d.press('ArrowUp', GO, 1)
    d.script({ steer: 1, throttle: -1 })
    expect(d.sample(space)).toEqual({ steer: 1, throttle: -1 })
    d.script(null)
    expect(d.sample(space)).toEqual({ steer: 0, throttle: 1 })
  })

  it('leaves a world that nobody knows how to play to its keys', () => {
    const { driver: d } = driver(true)
    const other = spaceOf([{ name: 'jump', kind: 'button' }])
    d.enter(other)
    expect(d.hasAutopilot).toBe(false)
    expect(d.sample(other)).toEqual({ jump: 0 })
    d.press('Space', other.moves[0]!, 1)
    expect(d.sample(other)).toEqual({ jump: 1 })
  })
})
