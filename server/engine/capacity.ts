/** How many sessions this machine plays at the full rate, by what it costs to compute them. */
import { spaceOf } from '../../src/engine/controls'
import type { Engine } from './engine'

/** Of the time of a tick; the rest is for sockets, pictures and whatever else the machine does. */
const SHARE = 0.6
const SIZES = [1, 2, 4, 8, 16, 32] as const
/** Of each size; the first ones still pay for its memory. */
const WARM_UP = 2
const RUNS = 5

export interface Cost {
  readonly sessions: number
  /** Of one tick of all of them, milliseconds. */
  readonly ms: number
}

/** Seats that `engine` has time for; at least one, and no more than are computed in one run. */
export async function measuredSeats(engine: Engine, now: () => number = () => performance.now()) {
  const budgetMs = (SHARE * 1000) / engine.served.world.ticksPerSecond
  const costs: Cost[] = []
  let begun = 0
  try {
    for (const sessions of SIZES.filter((size) => size <= engine.maxBatch)) {
      for (; begun < sessions; begun++) await engine.reset(nameOf(begun), { seed: begun }, 'latents')
      costs.push({ sessions, ms: await measured(engine, sessions, now) })
      if (costs.at(-1)!.ms > budgetMs) break
    }
  } finally {
    for (let i = 0; i < begun; i++) await engine.free(nameOf(i))
  }
  return { seats: seatsWithin(budgetMs, costs), msPerSession: costs.at(-1)!.ms / costs.at(-1)!.sessions }
}

/** The most sessions whose tick costs no more; between two sizes it is taken to grow evenly. */
export function seatsWithin(budgetMs: number, costs: readonly Cost[]): number {
  const dear = costs.findIndex(({ ms }) => ms > budgetMs)
  if (dear === -1) return costs.at(-1)!.sessions
  const above = costs[dear]!
  const below = costs[dear - 1] ?? { sessions: 0, ms: 0 }
  const part = (budgetMs - below.ms) / (above.ms - below.ms)
  return Math.max(1, Math.floor(below.sessions + part * (above.sessions - below.sessions)))
}

/** The median of some runs. */
async function measured(engine: Engine, sessions: number, now: () => number): Promise<number> {
  const { idle } = spaceOf(engine.served.world.controls)
  const jobs = Array.from({ length: sessions }, (_, i) => ({
    ...{ session: nameOf(i), action: idle, formats: ['latents'] as const },
  }))
  const took: number[] = []
  for (let run = 0; run < WARM_UP + RUNS; run++) {
    const startedMs = now()
    await engine.step(jobs)
    if (run >= WARM_UP) took.push(now() - startedMs)
  }
  return took.sort((a, b) => a - b)[Math.floor(RUNS / 2)]!
}

const nameOf = (i: number) => `measuring-${i}`
