import type { StartChoice } from '../app/store'
import type { Action } from '../engine/controls'
import { Rng } from '../engine/random'
import { scripted } from '../scene/drive/policy'
import { closestStart } from '../scene/drive/starts'

/** Above the streams of the simulator. */
const STREAM = 64
/** Seeds from here on were never trained on. */
const HELD_OUT = 1_000_000
const SEEDS = 1_000_000
/** How often a drive begins where the words already are; otherwise it must turn into them. */
const STARTS_THERE = 0.5

/** What both students of a pair know. */
export interface Choices {
  readonly starts: readonly StartChoice[]
  readonly prompts: readonly string[]
}

/** One round: what both students dream, and who is shown where. */
export interface Plan {
  /** 1 is the first. */
  readonly round: number
  readonly seed: number
  readonly start: string
  readonly prompt: string
  readonly actions: readonly Action[]
  readonly aIsLeft: boolean
}

/** The plan of a round. It follows from the session's seed alone, so a session can be played again. */
export function planRound(session: number, round: number, choices: Choices, ticks: number): Plan {
  const rng = new Rng(session, STREAM, round)
  const aIsLeft = rng.chance(0.5)
  const seed = HELD_OUT + rng.int(0, SEEDS)
  const prompt = rng.pick(choices.prompts)
  const anywhere = rng.pick(choices.starts).id
  const there = rng.chance(STARTS_THERE) ? closestStart(prompt, choices.starts, seed)?.id : undefined
  return { round, seed, start: there ?? anywhere, prompt, actions: scripted(rng, ticks), aIsLeft }
}
