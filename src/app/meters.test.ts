import { describe, expect, it } from 'vitest'
import { PhotonMeter, Samples, StageMeter } from './meters'

describe('Samples', () => {
  it('keeps the newest values and gives nearest-rank percentiles', () => {
    const samples = new Samples(4)
    expect(samples.percentile(0.5)).toBeNull()
    for (const value of [100, 1, 2, 3, 4]) samples.add(value)
    expect(samples.size).toBe(4)
    expect(samples.percentile(0.5)).toBe(2)
    expect(samples.percentile(0.95)).toBe(4)
    expect([samples.back(0), samples.back(3)]).toEqual([4, 1])
    expect(samples.back(4)).toBeNaN()
  })
})

describe('PhotonMeter', () => {
  it('measures from the first unseen change to the frame that was computed with it', () => {
    const meter = new PhotonMeter()
    meter.input(100)
    meter.input(110)
    meter.sampled(120)
    meter.presented(150)
    expect(meter.samples.percentile(0.5)).toBe(50)
  })

  it('does not credit a frame whose input was sampled before the change', () => {
    const meter = new PhotonMeter()
    meter.sampled(90)
    meter.input(100)
    meter.presented(110)
    expect(meter.samples.size).toBe(0)
    meter.sampled(140)
    meter.presented(160)
    expect(meter.samples.percentile(1)).toBe(60)
  })

  it('forgets what was under way on a drop', () => {
    const meter = new PhotonMeter()
    meter.input(1)
    meter.drop()
    meter.sampled(2)
    meter.presented(3)
    expect(meter.samples.size).toBe(0)
  })
})

describe('StageMeter', () => {
  it('smooths each stage and keeps the totals', () => {
    const meter = new StageMeter()
    meter.add(30, { student: 20, decoder: 8 })
    meter.add(30, { student: 28, decoder: 8 })
    expect(meter.stages.get('student')).toBe(21)
    expect(meter.stages.get('decoder')).toBe(8)
    expect(meter.ticks.size).toBe(2)
  })
})
