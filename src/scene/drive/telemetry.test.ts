import { describe, expect, it, test, vi } from 'vitest'
import golden from '../../../contract/drive/task.golden.json'
import { recordEpisode } from './episode'
import type { CarState } from './physics'
import type { DriveRenderer } from './renderer'
import { doneOf, readingOf, rewardOf, TELEMETRY, telemetryOf } from './telemetry'
import { curvature, elevation } from './track'

const SEED = 5
const CAR: CarState = {
  s: 1000,
  d: -2,
  psi: 0.25,
  v: 12,
  wheel: 0.5,
  roadYaw: 3,
  camD: -1.5,
  camPsi: 0.125,
  pitch: -0.75,
  stuckTicks: 15,
}

describe('the instruments', () => {
  it('read every number of a car that was worked out by hand', () => {
    const height = (ahead: number) => elevation(SEED, CAR.s + ahead)
    const reading = readingOf(telemetryOf(SEED, 45, CAR))
    const expected = {
      speed: 12,
      wheel: 0.5,
      offset: -2,
      heading: 0.25,
      cameraOffset: -1.5,
      cameraHeading: 0.125,
      pitch: -0.75,
      curvature: curvature(SEED, 1000),
      bendNear: curvature(SEED, 1030),
      bendMiddle: curvature(SEED, 1070),
      bendFar: curvature(SEED, 1120),
      slope: (height(26) - height(0)) / 26,
      slopeAhead: (height(60) - height(26)) / 34,
      // 1000 m are 41 periods and two thirds; tick 45 is a quarter into the weather.
      phaseSin: -Math.sqrt(3) / 2,
      phaseCos: -0.5,
      weatherSin: 1,
      weatherCos: 0,
      stuck: 0.25,
    }
    expect(Object.keys(reading)).toEqual(Object.keys(expected))
    for (const [name, value] of Object.entries(expected)) {
      expect(reading[name as keyof typeof reading], name).toBeCloseTo(value, 6)
    }
    expect(reading.slope).not.toBeCloseTo(reading.slopeAhead, 3)
  })

  it('see each bend at its own distance', () => {
    // Along a part of every 90 m the road bends evenly, so one place would not tell near from nearer.
    for (const s of [1000, 1020, 1040, 1060]) {
      const {
        curvature: here,
        bendNear,
        bendMiddle,
        bendFar,
      } = readingOf(telemetryOf(SEED, 0, { ...CAR, s }))
      const expected = [0, 30, 70, 120].map((ahead) => curvature(SEED, s + ahead))
      expect([here, bendNear, bendMiddle, bendFar]).toEqual(expected)
    }
  })

  it('turn the sign in a mirrored picture where they tell left from right', () => {
    expect(TELEMETRY.filter(({ mirrors }) => mirrors === -1).map(({ name }) => name)).toEqual([
      ...['wheel', 'offset', 'heading', 'cameraOffset', 'cameraHeading'],
      ...['curvature', 'bendNear', 'bendMiddle', 'bendFar'],
    ])
  })
})

describe('the reward', () => {
  it.each([
    ['the metres of a tick', { speed: 10, heading: 0, offset: 0 }, 0.5],
    ['those along the road', { speed: 10, heading: Math.PI / 3, offset: 0 }, 0.25],
    ['all of them up to where the car is beside the road', { speed: 10, heading: 0, offset: -6.6 }, 0.5],
    ['a third of them beside it', { speed: 30, heading: 0, offset: -6.7 }, 0.5],
  ])('is %s', (_, reading, metres) => {
    expect(rewardOf(reading)).toBeCloseTo(metres, 6)
  })
})

test.each(golden)(
  'its reward and end are those that Python is tested against',
  ({ telemetry, reward, done }) => {
    expect([rewardOf(telemetry), doneOf(telemetry)]).toEqual([reward, done])
  },
)

describe('a drive', () => {
  it.each([
    ['ends in the bank at 20 m/s', { speed: 20, offset: 7.2, stuck: 0 }, true],
    ['ends in the left bank too', { speed: 20, offset: -7.2, stuck: 0 }, true],
    ['goes on in the bank below that', { speed: 19.9, offset: 7.2, stuck: 0 }, false],
    ['goes on beside the road at any speed', { speed: 30, offset: -7.1, stuck: 0 }, false],
    ['ends where the car is stuck', { speed: 0, offset: 7, stuck: 1 }, true],
    ['goes on until then', { speed: 0, offset: 7, stuck: 59 / 60 }, false],
  ])('%s', (_, reading, done) => {
    expect(doneOf(reading)).toBe(done)
  })

  it('is recorded with what each action led to', () => {
    const pixels = { width: 1, height: 1, data: new Uint8ClampedArray(4) }
    const cars: CarState[] = []
    const render = vi.fn((_seed: number, _tick: number, car: CarState) => {
      cars.push({ ...car })
      if (cars.length === 201) Object.assign(car, { d: 9, v: 28 })
      return pixels
    })
    const renderer = { render, carBox: () => [0, 0, 0, 0] } as unknown as DriveRenderer
    const episode = recordEpisode(renderer, { seed: SEED, ticks: 400, policy: 'mash' })
    const readings = cars.map((car, i) => readingOf(telemetryOf(SEED, 20 + i, car)))
    readings.slice(1).forEach((reading, i) => {
      expect(episode.rewards[i]).toBeCloseTo(rewardOf(reading), 5)
      expect(episode.dones[i]).toBe(doneOf(reading) ? 1 : 0)
    })
    expect([episode.dones[199], episode.dones[200]]).toEqual([0, 1])
    const first = episode.telemetry.slice(0, TELEMETRY.length)
    expect([...first]).toEqual([...Float32Array.from(Object.values(readings[0]!))])
  })
})
