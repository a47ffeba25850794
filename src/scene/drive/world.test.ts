import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { spaceOf } from '../../engine/controls'
import { hashBytes } from '../../engine/frame-hash'
import { checkWorld } from '../../engine/testing/world-suite'
import { BIOMES, TIMES, WEATHERS } from './captions'
import { DRIVE_CONTROLS } from './controls'
import type { CarState } from './physics'
import { Simulation } from './simulation'
import { SimulatorWorld } from './world'

const IDLE = spaceOf(DRIVE_CONTROLS).idle
const NOON = { biome: 'meadow', time: 'noon', weather: 'clear' } as const

// Node has no WebGL: what the renderer is asked to draw stands for what it would draw.
vi.mock('./renderer', () => {
  const WIDTH = 8
  const HEIGHT = 4
  class DriveRenderer {
    render(...scene: unknown[]) {
      const hash = hashBytes(new TextEncoder().encode(JSON.stringify(scene)))
      const data = new Uint8ClampedArray(WIDTH * HEIGHT * 4).fill(255)
      for (let i = 0; i < hash.length; i++) data[i * 4] = hash.charCodeAt(i)
      return { width: WIDTH, height: HEIGHT, data }
    }
    dispose() {}
  }
  return { WIDTH, HEIGHT, DriveRenderer }
})

checkWorld('SimulatorWorld', {
  open: async () => new SimulatorWorld(),
  starts: ['snow-night-clear', 'meadow-noon-rain'],
})

it('the simulator begins in the place that its words or its start name', async () => {
  const world = new SimulatorWorld()
  const biome = async () => (await world.snapshot()).state.setting![0]
  for (const seed of [0, 1, 2, 3, 4]) {
    await world.reset({ seed, prompt: 'a snowy road at sunset' })
    expect(await biome()).toBe(3)
    await world.reset({ seed, start: 'volcano-night-rain' })
    expect(await biome()).toBe(4)
  }
})

it('the simulator says of every tick what it is worth and whether it is the last', async () => {
  const world = new SimulatorWorld()
  await world.reset({ seed: 3 })
  const snapshot = await world.snapshot()
  const at = async (car: Partial<CarState>) => {
    const simulation = Simulation.fromArray(3, NOON, snapshot.state.simulation as Float64Array)
    Object.assign(simulation.car, car)
    const { reward, done } = await world.restore({
      ...snapshot,
      state: { ...snapshot.state, simulation: simulation.toArray() },
    })
    return { reward: reward!.toFixed(4), done }
  }
  expect(await at({ d: 0, psi: 0, v: 24 })).toEqual({ reward: '1.2000', done: false })
  expect(await at({ d: 8, psi: 0, v: 24 })).toEqual({ reward: '0.4000', done: true })
})

describe('a lost context', () => {
  function canvas() {
    const gl = { gone: false, isContextLost: () => gl.gone }
    return Object.assign(new EventTarget(), { gl, getContext: () => gl })
  }
  const made: ReturnType<typeof canvas>[] = []
  beforeEach(() => {
    made.length = 0
    vi.useFakeTimers()
    vi.stubGlobal('document', { createElement: () => made[made.push(canvas()) - 1] })
  })
  afterEach(() => {
    vi.useRealTimers()
    vi.unstubAllGlobals()
  })

  async function playing() {
    const world = new SimulatorWorld()
    await world.reset({ seed: 3 })
    return { world, gl: made[0]!.gl }
  }

  it('that comes back draws the very frame that was asked for', async () => {
    const { world, gl } = await playing()
    gl.gone = true
    const stepped = world.step(IDLE)
    await vi.advanceTimersByTimeAsync(1000)
    gl.gone = false
    made[0]!.dispatchEvent(new Event('webglcontextrestored'))
    expect((await stepped).index).toBe(1)
    expect(made).toHaveLength(1)
  })

  it('that does not come back is replaced after some seconds', async () => {
    const { world, gl } = await playing()
    gl.gone = true
    const stepped = world.step(IDLE)
    await vi.advanceTimersByTimeAsync(4000)
    expect((await stepped).index).toBe(1)
    expect(made).toHaveLength(2)
    expect((await world.step(IDLE)).index).toBe(2)
  })

  it('that no canvas gets again is said in a sentence', async () => {
    const { world, gl } = await playing()
    gl.gone = true
    const stepped = world.step(IDLE).catch((error: Error) => error)
    vi.stubGlobal('document', { createElement: () => Object.assign(canvas(), { getContext: () => gl }) })
    await vi.advanceTimersByTimeAsync(4000)
    expect(await stepped).toMatchObject({ code: 'GRAPHICS_LOST' })
  })
})

it('goes on where another drive is: with its speed and place, its words, and a road as near to its own as there is', async () => {
  const world = new SimulatorWorld()
  await world.reset({ seed: 3 })
  const telemetry: Record<string, number>[] = []
  for (let i = 0; i < 400; i++) {
    const tick = await world.step({ steer: i % 40 < 20 ? 1 : -1, throttle: 1 })
    telemetry.push(tick.telemetry!)
  }
  const moments = [340, 350, 360].map((i) => ({ tick: i, text: 'a snowy night', telemetry: telemetry[i]! }))
  const other = new SimulatorWorld()
  const states = other.retrace(8, moments)
  for (const [i, { tick, telemetry }] of moments.entries()) {
    const now = await other.restore(states[i]!)
    expect(now.index).toBe(tick)
    const names = ['speed', 'offset', 'heading', 'wheel', 'pitch', 'cameraOffset', 'cameraHeading', 'stuck']
    for (const name of names) expect(now.telemetry![name]).toBeCloseTo(telemetry[name]!)
    // Half a metre of 24: what the stripes are off by, before the last moment by what was driven in between.
    expect(now.telemetry!.phaseCos).toBeCloseTo(telemetry.phaseCos!, i < 2 ? 0 : 3)
  }
  expect((await other.snapshot()).prompt!.text).toBe('a snowy night')
  const bends = ['curvature', 'bendNear', 'bendMiddle', 'bendFar']
  const now = await other.readTelemetry()
  const off = bends.map((name) => Math.abs(now[name]! - moments[2]!.telemetry[name]!))
  expect(Math.max(...off)).toBeLessThan(1 / 400)
  expect(other.retrace(8, [])).toEqual([])
})

it('takes over what the other world read in the words, and a clear sky where that names no weather', async () => {
  const world = new SimulatorWorld()
  const { telemetry } = await world.reset({ seed: 3 })
  const labels = new Float32Array([1, 2])
  const told = { tick: 1, text: 'the first frost', telemetry: telemetry! }
  for (let seed = 0; seed < 8; seed++) {
    const [state] = world.retrace(seed, [
      { ...told, heard: { values: { biome: 'snow', time: 'dawn' }, labels } },
    ])
    expect([...(state!.state.setting as Uint8Array)]).toEqual([
      BIOMES.indexOf('snow'),
      TIMES.indexOf('dawn'),
      WEATHERS.indexOf('clear'),
    ])
    await world.restore(state!)
    expect((await world.snapshot()).prompt).toEqual({ text: 'the first frost', embedding: labels })
    await world.setPrompt('rain')
    expect((await world.snapshot()).prompt!.embedding).toBeNull()
  }
})
