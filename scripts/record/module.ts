/** Episodes of a TypeScript module that exports a `World`, recorded in Node. */
import { existsSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Action, controlsSchema, spaceOf } from '../../src/engine/controls'
import { BadInputError } from '../../src/engine/errors'
import { Rng } from '../../src/engine/random'
import type { World } from '../../src/engine/world'

/** Of policies; games take 16. */
const POLICY_STREAM = 17
/** Ticks for which a key is held at most, by chance. */
const LONGEST_HOLD = 12
/** More than that is no frame for a small network, and fills a disk. */
const MOST_PIXELS = 512 * 512

/** What such a module exports. */
export interface WorldModule {
  /** For people; left out, the world's id. */
  readonly title?: string
  openWorld(): World | Promise<World>
  /** Who plays a recording; left out, keys are held at random. */
  policy?(rng: Rng): (world: World) => Action
}

/** An episode as scripts/record.ts writes it; actions are the values of the controls at frame t, which lead to frame t + 1. */
export interface RecordedEpisode {
  readonly version: 4
  readonly world: string
  readonly title?: string
  readonly seed: number
  readonly ticks: number
  readonly width: number
  readonly height: number
  readonly ticksPerSecond: number
  readonly controls: World['info']['controls']
  readonly encoding: 'number' | 'one-hot'
  readonly telemetryNames: readonly string[]
  readonly policy: string
  /** RGB, [ticks, height, width, 3]. */
  readonly frames: Uint8Array
  /** float32, [ticks, controls]. */
  readonly actions: Uint8Array
  /** float32, [ticks, telemetry]. */
  readonly telemetry: Uint8Array
  /** float32, [ticks]: what the tick after frame t was worth. */
  readonly rewards: Uint8Array
  readonly dones: Uint8Array
  readonly prompts: readonly { tick: number; text: string }[]
}

/** The module in a file. Throws `BadInputError` where it is none, or exports no world. */
export async function loadWorldModule(file: string): Promise<WorldModule> {
  if (!existsSync(file))
    throw new BadInputError(`There is no file ${file}. Give the path of a module that exports openWorld().`)
  const loaded = await import(pathToFileURL(path.resolve(file)).href).catch((error: Error) => {
    throw new BadInputError(`${file} could not be loaded: ${error.message}.`)
  })
  if (typeof loaded.openWorld !== 'function')
    throw new BadInputError(
      `${file} exports ${Object.keys(loaded).join(', ') || 'nothing'}, but no openWorld().`,
    )
  return loaded as WorldModule
}

/** Throws `BadInputError` with one sentence where a world cannot be recorded. */
export async function checkRecordable(world: World): Promise<void> {
  const { id, width, height, controls } = world.info
  const wrong = controlsSchema.safeParse(controls)
  if (!wrong.success)
    throw new BadInputError(`The controls of "${id}" are none: ${wrong.error.issues[0]!.message}.`)
  for (const { id: move, keys } of spaceOf(controls).moves)
    if (keys.length === 0)
      throw new BadInputError(
        `Nobody could press "${move}" of "${id}", because it has no keys. Give it some.`,
      )
  if (width * height > MOST_PIXELS)
    throw new BadInputError(`Frames of "${id}" are ${width}x${height}; draw at most ${MOST_PIXELS} pixels.`)
  const { frame } = await world.reset({ seed: 0 })
  const pixels = frame ?? (await world.readPixels())
  if (pixels.width !== width || pixels.height !== height || pixels.data.length !== 4 * width * height)
    throw new BadInputError(
      `"${id}" says ${width}x${height}, but its frame is ${pixels.width}x${pixels.height} with ${pixels.data.length} bytes.`,
    )
}

/** Keys held by chance, each control for itself, and let go. */
export function randomHolds(world: World, rng: Rng): () => Action {
  const { controls } = world.info
  const held = controls.map(() => ({ value: 0, left: 0 }))
  return () => {
    const values = controls.map((control, i) => {
      const one = held[i]!
      if (one.left-- <= 0) {
        one.value = rng.pick(control.kind === 'button' ? [0, 1] : control.values)
        one.left = rng.int(0, LONGEST_HOLD)
      }
      return [control.name, one.value] as const
    })
    return Object.fromEntries(values)
  }
}

/** Plays and records one episode. Games that end begin again within it. The same seed gives the same episode. */
export async function recordModuleEpisode(
  { policy, title }: WorldModule,
  world: World,
  seed: number,
  ticks: number,
): Promise<RecordedEpisode> {
  const { id, width, height, ticksPerSecond, controls, telemetry } = world.info
  const rng = new Rng(seed, POLICY_STREAM)
  const act = policy ? policy(rng) : randomHolds(world, rng)
  const names = telemetry.map(({ name }) => name)
  const frames = new Uint8Array(ticks * height * width * 3)
  const actions = new Float32Array(ticks * controls.length)
  const readings = new Float32Array(ticks * names.length)
  const rewards = new Float32Array(ticks)
  const dones = new Uint8Array(ticks)
  let tick = await world.reset({ seed })
  for (let t = 0; t < ticks; t++) {
    const { data } = tick.frame ?? (await world.readPixels())
    for (let from = 0, to = t * height * width * 3; from < data.length; from += 4, to += 3) {
      frames[to] = data[from]!
      frames[to + 1] = data[from + 1]!
      frames[to + 2] = data[from + 2]!
    }
    const reading = names.length ? (tick.telemetry ?? (await world.readTelemetry()) ?? {}) : {}
    readings.set(
      names.map((name) => reading[name] ?? 0),
      t * names.length,
    )
    const action = act(world)
    actions.set(
      controls.map(({ name }) => action[name] ?? 0),
      t * controls.length,
    )
    tick = await world.step(action)
    rewards[t] = tick.reward ?? 0
    dones[t] = tick.done ? 1 : 0
  }
  const bytes = (array: ArrayBufferView) => new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
  return {
    version: 4,
    world: id,
    ...(title ? { title } : {}),
    seed,
    ticks,
    width,
    height,
    ticksPerSecond,
    controls,
    encoding: 'number',
    telemetryNames: names,
    policy: policy ? 'own' : 'random',
    frames,
    actions: bytes(actions),
    telemetry: bytes(readings),
    rewards: bytes(rewards),
    dones,
    prompts: [],
  }
}
