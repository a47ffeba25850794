import { Rng } from '../../engine/random'
import { BIOMES, caption, type Setting, type Split, TIMES, WEATHERS } from './captions'
import { Driver, type PolicyName } from './policy'
import type { DriveRenderer } from './renderer'
import { Simulation } from './simulation'
import { doneOf, rewardOf, TELEMETRY } from './telemetry'

/** Episode seeds from here on are for evaluation only and never enter training. */
export const HELD_OUT_SEED = 1_000_000

const DRIVER_STREAM = 17
const PROMPT_STREAM = 18
/** Ticks driven before the first recorded frame, so that the camera has settled. */
const WARM_UP_TICKS = 20

export interface PromptPoint extends Setting {
  readonly tick: number
  readonly text: string
  readonly split: Split
}

export interface EpisodeSpec {
  readonly seed: number
  readonly ticks: number
  /** Left out, the driver mixes all policies. */
  readonly policy?: PolicyName
}

/** A recorded episode; see `writeEpisode` in scripts/record.ts for the container. */
export interface Episode {
  readonly seed: number
  readonly ticks: number
  readonly width: number
  readonly height: number
  readonly policy: string
  /** RGB, [ticks, height, width, 3]. */
  readonly frames: Uint8Array
  /** [ticks, 2]: steer and throttle applied at frame t, which lead to frame t + 1. */
  readonly actions: Int8Array
  /** [ticks, telemetry]: the instruments at frame t, in the order of `TELEMETRY`. */
  readonly telemetry: Float32Array
  /** [ticks, 4]: where the car is seen at frame t: centre x, centre y, width, height, in pixels. */
  readonly boxes: Float32Array
  readonly rewards: Float32Array
  readonly dones: Uint8Array
  readonly prompts: readonly PromptPoint[]
  readonly stateHash: string
}

function anySetting(rng: Rng): Setting {
  return { biome: rng.pick(BIOMES), time: rng.pick(TIMES), weather: rng.pick(WEATHERS) }
}

/** Changes one to three of biome, time and weather. */
function changed(rng: Rng, from: Setting): Setting {
  const to = anySetting(rng)
  const keep = rng.uniform()
  if (keep < 0.2) return { ...from, biome: to.biome }
  if (keep < 0.4) return { ...from, time: to.time }
  if (keep < 0.6) return { ...from, weather: to.weather }
  return to
}

/** When the words change in an episode of `ticks`, and to what: about every four seconds. */
export function promptPlan(seed: number, ticks: number): PromptPoint[] {
  const rng = new Rng(seed, PROMPT_STREAM)
  let setting = anySetting(rng)
  const say = (tick: number): PromptPoint => ({
    tick,
    text: caption(setting, () => rng.uniform()),
    split: 'train',
    ...setting,
  })
  const points = [say(0)]
  for (let tick = 20 + rng.int(0, 40); tick < ticks - 20; tick += 50 + rng.int(0, 60)) {
    setting = changed(rng, setting)
    points.push(say(tick))
  }
  return points
}

/** Drives and draws one episode; `onFrame` sees each tick (for progress). Deterministic given the spec. */
export function recordEpisode(renderer: DriveRenderer, spec: EpisodeSpec): Episode {
  const { seed, ticks } = spec
  const driver = new Driver(new Rng(seed, DRIVER_STREAM), spec.policy)
  const prompts = promptPlan(seed, ticks)
  const simulation = new Simulation(seed, prompts[0]!)
  for (let i = 0; i < WARM_UP_TICKS; i++) simulation.step(driver.act(simulation.reading()))

  let frames = new Uint8Array(0)
  let size = { width: 0, height: 0 }
  const actions = new Int8Array(ticks * 2)
  const telemetry = new Float32Array(ticks * TELEMETRY.length)
  const boxes = new Float32Array(ticks * 4)
  const rewards = new Float32Array(ticks)
  const dones = new Uint8Array(ticks)
  let next = 1
  for (let t = 0; t < ticks; t++) {
    const pixels = renderer.render(
      seed,
      simulation.tick,
      simulation.car,
      simulation.braking,
      simulation.look(),
    )
    const count = pixels.width * pixels.height
    if (t === 0) {
      frames = new Uint8Array(ticks * count * 3)
      size = pixels
    }
    for (let i = 0, from = 0, to = t * count * 3; i < count; i++, from += 4, to += 3) {
      frames[to] = pixels.data[from]!
      frames[to + 1] = pixels.data[from + 1]!
      frames[to + 2] = pixels.data[from + 2]!
    }
    const reading = simulation.reading()
    telemetry.set(Object.values(reading), t * TELEMETRY.length)
    boxes.set(renderer.carBox(), t * 4)
    if (prompts[next]?.tick === t) simulation.become(prompts[next++]!)
    const action = driver.act(reading)
    simulation.step(action)
    actions.set([action.steer, action.throttle], t * 2)
    const after = simulation.reading()
    rewards[t] = rewardOf(after)
    dones[t] = doneOf(after) ? 1 : 0
  }
  return {
    seed,
    ticks,
    width: size.width,
    height: size.height,
    policy: spec.policy ?? 'mixed',
    frames,
    actions,
    telemetry,
    boxes,
    rewards,
    dones,
    prompts,
    stateHash: simulation.hash(),
  }
}
