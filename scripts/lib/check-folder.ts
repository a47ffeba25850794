import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type Action, spaceOf } from '../../src/engine/controls'
import { hashPixels } from '../../src/engine/frame-hash'
import { Rng } from '../../src/engine/random'
import type { ResetOptions, Tick, World, WorldInfo } from '../../src/engine/world'
import { parseManifest } from '../../src/model/assets/manifest'
import { openWorld } from '../../src/node'

export interface FolderCheck {
  readonly info: Pick<WorldInfo, 'id' | 'width' | 'height' | 'ticksPerSecond' | 'prompt' | 'reward' | 'done'>
  readonly controls: readonly string[]
  readonly telemetry: readonly string[]
  /** Of the files that the manifest names, and of all that lie in the folder. */
  readonly bytes: { readonly named: number; readonly folder: number }
  /** Milliseconds from the files on disk to a world that is ready. */
  readonly openMs: number
  /** Milliseconds of a tick, in turns with nothing else. */
  readonly tickMs: { readonly median: number; readonly p99: number }
  readonly ticksPerSecond: number
  readonly ticks: number
  /** What it should do and does not, a sentence each; empty where all is well. */
  readonly faults: readonly string[]
}

/** Controls held for a few ticks at a time, as a person's; the same for the same seed. */
export function heldByChance(info: Pick<WorldInfo, 'controls'>, ticks: number, seed = 1): Action[] {
  const rng = new Rng(seed)
  const space = spaceOf(info.controls)
  const actions: Action[] = []
  while (actions.length < ticks) {
    const action = space.action(rng.int(0, space.size))
    for (let held = rng.int(3, 12); held > 0 && actions.length < ticks; held--) actions.push(action)
  }
  return actions
}

/** Opens the world in `dir` in Node and tries it. Rejects with a named error where it is none. */
export async function checkFolder(dir: string, { ticks = 60, threads = 2 } = {}): Promise<FolderCheck> {
  const manifest = parseManifest(readFileSync(join(dir, 'world.json'), 'utf8'))
  const begun = performance.now()
  const world = await openWorld(dir, { threads })
  const openMs = performance.now() - begun
  try {
    const { info } = world
    const actions = heldByChance(info, ticks)
    const faults: string[] = []
    const prompt = manifest.presets[0]?.text
    const reset = { seed: 7, ...(prompt === undefined ? {} : { prompt }) }
    const first = await drive(world, reset, actions, faults)
    const again = await drive(world, reset, actions, [])
    const parts = first.hashes.findIndex((hash, i) => hash !== again.hashes[i])
    if (parts >= 0) faults.push(`The same seed and actions part at tick ${parts}: it is not repeatable.`)
    if (new Set(first.hashes).size < 2) faults.push(`${ticks} ticks show one and the same frame.`)
    await checkSnapshot(world, actions, faults)
    const sorted = [...first.tickMs, ...again.tickMs].sort((a, b) => a - b)
    const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!
    return {
      info: {
        ...{ id: info.id, width: info.width, height: info.height, ticksPerSecond: info.ticksPerSecond },
        ...{ prompt: info.prompt, reward: info.reward, done: info.done },
      },
      controls: info.controls.map(({ name }) => name),
      telemetry: info.telemetry.map(({ name }) => name),
      bytes: {
        named: Object.values(manifest.files).reduce((sum, { bytes }) => sum + bytes, 0),
        folder: readdirSync(dir).reduce((sum, name) => sum + statSync(join(dir, name)).size, 0),
      },
      openMs,
      tickMs: { median: at(0.5), p99: at(0.99) },
      ticksPerSecond: 1000 / at(0.5),
      ticks,
      faults,
    }
  } finally {
    await world.close()
  }
}

/** Plays the actions from a reset; the hash of each frame, and how long each step took. */
async function drive(world: World, reset: ResetOptions, actions: readonly Action[], faults: string[]) {
  const hashes = [await seen(world, await world.reset(reset), faults)]
  const tickMs: number[] = []
  for (const action of actions) {
    const begun = performance.now()
    const tick = await world.step(action)
    tickMs.push(performance.now() - begun)
    hashes.push(await seen(world, tick, faults))
  }
  return { hashes, tickMs }
}

async function seen(world: World, tick: Tick, faults: string[]): Promise<string> {
  const { width, height } = world.info
  const frame = tick.frame ?? (await world.readPixels())
  const say = (sentence: string) => faults.includes(sentence) || faults.push(sentence)
  if (frame.width !== width || frame.height !== height) {
    say(`A frame is ${frame.width}x${frame.height}, but the manifest says ${width}x${height}.`)
  }
  const odd = Object.entries(tick.telemetry ?? {}).find(([, value]) => !Number.isFinite(value))
  if (odd) say(`Its telemetry is not always a number: ${odd[0]} is ${odd[1]} at tick ${tick.index}.`)
  return hashPixels(frame)
}

/** From a snapshot that went through JSON, a drive goes on as it did. */
async function checkSnapshot(world: World, actions: readonly Action[], faults: string[]): Promise<void> {
  const snapshot = await world.snapshot()
  const next = actions.slice(0, 5)
  const after = async () => {
    const hashes: string[] = []
    for (const action of next) hashes.push(await seen(world, await world.step(action), []))
    return hashes.join()
  }
  const first = await after()
  await world.restore(JSON.parse(JSON.stringify(snapshot)))
  if ((await after()) !== first) faults.push('A drive that is restored from a snapshot goes on differently.')
}

/** What was found, for people. */
export function sentences(found: FolderCheck): string[] {
  const { info, bytes, tickMs, ticks, faults } = found
  const names = (what: readonly string[]) => (what.length > 0 ? what.join(', ') : 'none')
  const mb = (count: number) => `${(count / 1e6).toFixed(1)} MB`
  return [
    `world        ${info.id}, ${info.width}x${info.height}, ${info.ticksPerSecond} ticks/s`,
    `controls     ${names(found.controls)}`,
    `prompt       ${info.prompt ? 'listens to words' : 'none'}`,
    `telemetry    ${names(found.telemetry)}`,
    `reward, end  ${info.reward ? 'reward' : 'no reward'}, ${info.done ? 'an end' : 'no end'}`,
    `bytes        ${mb(bytes.named)} in the files that its manifest names, ${mb(bytes.folder)} in the folder`,
    `speed        ${tickMs.median.toFixed(1)} ms a tick at the median, ${tickMs.p99.toFixed(1)} at the 99th percentile: ${found.ticksPerSecond.toFixed(0)} ticks/s in Node; open after ${(found.openMs / 1000).toFixed(1)} s`,
    ...(faults.length > 0
      ? faults.map((fault) => `fault        ${fault}`)
      : [
          `repeatable   the same seed and actions give the same ${ticks} frames, bit for bit; so does a snapshot`,
        ]),
  ]
}
