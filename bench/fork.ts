/** `npm run bench -- fork`: futures in one batch against as many separate worlds, in turns: how fast, and how alike. */
import { Command } from 'commander'
import { fromUser } from '../scripts/lib/paths.mjs'
import { hashPixels } from '../src/engine/frame-hash'
import { type Action, openWorld, type Snapshot, spaceOf, type Tick, type World } from '../src/node'
import { positive } from './report'
import { percentile } from './summary'

interface Flags {
  readonly world: string
  readonly futures: string
  readonly ticks: number
  readonly threads: number
}

/** What a way of computing futures is asked for: all of them one tick on. */
interface Side {
  step(actions: readonly Action[]): Promise<readonly Tick[]>
  close(): Promise<unknown>
}

async function separate(folder: string, threads: number, snapshot: Snapshot, count: number): Promise<Side> {
  const worlds: World[] = []
  for (let i = 0; i < count; i++) {
    worlds.push(await openWorld(folder, { threads }))
    await worlds[i]!.restore(snapshot)
  }
  return {
    async step(actions) {
      const ticks: Tick[] = []
      for (const [i, world] of worlds.entries()) ticks.push(await world.step(actions[i]!))
      return ticks
    },
    close: () => Promise.all(worlds.map((world) => world.close())),
  }
}

async function forked(world: World, snapshot: Snapshot, count: number): Promise<Side> {
  await world.restore(snapshot)
  return world.fork!(count)
}

/** The largest difference between two frames, of 255. */
function apart(one: Tick, other: Tick): number {
  const [a, b] = [one.frame!.data, other.frame!.data]
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0)
}

async function main({ world: folder, futures, ticks, threads }: Flags): Promise<void> {
  const world = await openWorld(folder, { threads })
  await world.reset({ seed: 0 })
  const snapshot = await world.snapshot()
  const space = spaceOf(world.info.controls)
  console.log(
    'futures  forked ticks/s  separate ticks/s  ratio  the same again  apart (of 255) at tick 1, the last',
  )
  for (const count of futures.split(',').map(Number)) {
    const sides = [
      await forked(world, snapshot, count),
      await forked(world, snapshot, count),
      await separate(folder, threads, snapshot, count),
    ]
    const ms: number[][] = sides.map(() => [])
    const far: number[] = []
    let same = true
    for (let tick = 0; tick < ticks; tick++) {
      const actions = Array.from({ length: count }, (_, i) => space.action((tick * 5 + i * 3) % space.size))
      const shown: (readonly Tick[])[] = []
      for (const [which, side] of sides.entries()) {
        const began = performance.now()
        shown.push(await side.step(actions))
        ms[which]!.push(performance.now() - began)
      }
      const [one, again, alone] = shown as [Tick[], Tick[], Tick[]]
      same &&= one.every(({ frame }, i) => hashPixels(frame!) === hashPixels(again[i]!.frame!))
      far.push(Math.max(...one.map((future, i) => apart(future, alone[i]!))))
    }
    for (const side of sides) await side.close()
    const [fast, , slow] = ms.map((each) => (1000 * count) / percentile(each, 0.5)) as [
      number,
      number,
      number,
    ]
    const cells = [
      `${count}`,
      fast.toFixed(1),
      slow.toFixed(1),
      (fast / slow).toFixed(2),
      same ? 'yes' : 'NO',
    ]
    console.log(
      `${cells.map((cell, i) => cell.padStart([7, 16, 18, 7, 16][i]!)).join('')}  ${far[0]}, ${far.at(-1)}`,
    )
  }
  await world.close()
}

export function forkCommand(): Command {
  return new Command('fork')
    .description(
      'Ticks a second of futures in one batch against as many separate worlds, and how far apart their frames are.',
    )
    .option('--world <dir>', 'folder of the world', fromUser, 'assets/drive')
    .option('--futures <numbers>', 'how many together', '1,8,32')
    .option('--ticks <n>', 'that each future goes on', positive, 20)
    .option('--threads <n>', 'threads inside one run', positive, 1)
    .action(main)
}
