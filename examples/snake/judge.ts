/**
 * The dream of Snake against the game, by one policy that looks at the picture alone:
 *
 *     npx tsx examples/snake/judge.ts [--world assets/snake] [--games 100] [--ticks 200]
 *
 * Counts apples and ticks until the rules are first broken, at most `ticks` a game, and by which fault; and how long the
 * snake itself keeps them, whatever becomes of apples.
 */
import { parseArgs } from 'node:util'
import type { Action } from '../../src/engine/controls'
import { Rng } from '../../src/engine/random'
import type { World } from '../../src/engine/world'
import { openWorld as openDream } from '../../src/node'
import { boardIn, type Cells, cellsOf, judged } from './reader'
import { beyond, openWorld, seek } from './world'

const POLICY_STREAM = 18
const IDLE: Action = { x: 0, y: 0 }

interface Game {
  readonly apples: number
  readonly ticks: number
  /** Ticks until the snake itself broke a rule. */
  readonly snakeTicks: number
  readonly deaths: number
  /** Null where all ticks were played by the rules. */
  readonly fault: string | null
}

/** Which way a living snake goes, found by two ticks without keys; null where that cannot be seen. */
async function underWay(world: World): Promise<{ cells: Cells; heading: number } | null> {
  let before: Cells | null = null
  for (let i = 0; i < 12; i++) {
    const { frame } = await world.step(IDLE)
    const cells = cellsOf(frame!)
    const from = before?.head[0]
    if (from !== undefined && before!.dead.length === 0 && cells.head.length === 1) {
      const heading = [0, 1, 2, 3].find((way) => beyond(from, way) === cells.head[0])
      if (heading !== undefined) return { cells, heading }
    }
    before = cells
  }
  return null
}

/** Plays one game. After a death it goes on as soon as the next snake is under way. */
export async function play(world: World, seed: number, ticks: number): Promise<Game> {
  await world.reset({ seed })
  const rng = new Rng(seed, POLICY_STREAM)
  let apples = 0
  let deaths = 0
  let played = 0
  let first: { ticks: number; fault: string } | null = null
  let now = await underWay(world)
  while (now && played < ticks) {
    const action = seek(boardIn(now.cells, now.heading), rng)
    const { frame } = await world.step(action)
    const after = cellsOf(frame!)
    const { broken, ate, died, heading } = judged(now.cells, now.heading, action, after)
    const ofApple = broken?.includes('apple') ?? true
    if (ate && ofApple) apples++
    if (broken) first ??= { ticks: played, fault: broken }
    if (!ofApple) break
    played++
    if (died) deaths++
    now = died ? await underWay(world) : { cells: after, heading }
  }
  if (!now) first ??= { ticks: played, fault: 'no snake sets out' }
  return { apples, deaths, snakeTicks: played, ticks: first?.ticks ?? played, fault: first?.fault ?? null }
}

/** Means over games, and how often each fault was the first. */
export function summary(games: readonly Game[]): Record<string, unknown> {
  const mean = (of: (game: Game) => number) => games.reduce((sum, game) => sum + of(game), 0) / games.length
  const half = (of: (game: Game) => number) =>
    1.96 * Math.sqrt(mean((game) => (of(game) - mean(of)) ** 2) / Math.max(1, games.length - 1))
  const said = (of: (game: Game) => number) => `${mean(of).toFixed(1)} ± ${half(of).toFixed(1)}`
  const faults: Record<string, number> = {}
  for (const { fault } of games) if (fault) faults[fault] = (faults[fault] ?? 0) + 1
  return {
    games: games.length,
    apples: said((game) => game.apples),
    ticks: said((game) => game.ticks),
    snakeTicks: said((game) => game.snakeTicks),
    deaths: said((game) => game.deaths),
    whole: games.filter(({ fault }) => !fault).length,
    faults,
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      world: { type: 'string', default: 'assets/snake' },
      games: { type: 'string', default: '100' },
      ticks: { type: 'string', default: '200' },
    },
  })
  const [games, ticks] = [Number(values.games), Number(values.ticks)]
  for (const [name, world] of [
    ['game', openWorld()],
    ['dream', await openDream(values.world, { threads: 1 })],
  ] as const) {
    const all: Game[] = []
    for (let seed = 0; seed < games; seed++) all.push(await play(world, 2_000_000 + seed, ticks))
    console.log(name, JSON.stringify(summary(all)))
    await world.close()
  }
}

if (process.argv[1]?.endsWith('judge.ts')) await main()
