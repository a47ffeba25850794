import { type ActionLog, firstTick } from './action-log'
import { BadInputError } from './errors'
import { FIRST_FREE_STREAM, Rng } from './random'
import type { Telemetry, Tick } from './world'

/** What a run in a world counts. */
export interface RunRule {
  /** Of the score, for example `m`. */
  readonly unit: string
  /** How much a tick that ends with these readings adds. */
  readonly gain: (telemetry: Telemetry) => number
}

/** Ticks of a run: a minute of the world's time. What is taken back is spent all the same. */
export const RUN_TICKS = 1200
/** Readings count at every fourth tick, for four, so that a world whose state lies on a GPU need not be read more often. */
export const COUNTED_EVERY = 4
/** Words stay for 7 to 13 seconds, in tens of ticks. */
const SHORTEST = 14
const LONGEST = 26
/** Words change between the ticks that going back lands on, so that none are told twice. */
const BETWEEN = 5
/** Far from those that simulators and policies use. */
const SCHEDULE_STREAM = FIRST_FREE_STREAM + 64

/** Words that the run has from a tick on. */
export interface WordsFrom {
  readonly tick: number
  readonly text: string
}

/** The day of a moment, the same all over the world: `2026-11-29`. */
export function dayOf(date: Date): string {
  return date.toISOString().slice(0, 10)
}

/**
 * The seed that everybody has on a day: 20261129 on 2026-11-29. Throws `BadInputError` on what is no day.
 */
export function seedOfDay(day: string): number {
  const date = new Date(`${day}T00:00:00Z`)
  if (!/^\d{4}-\d\d-\d\d$/.test(day) || Number.isNaN(date.getTime()) || dayOf(date) !== day)
    throw new BadInputError(`A day is written as 2026-11-29, but "${day}" came.`)
  return Number(day.replaceAll('-', ''))
}

/**
 * The words of a day's run, of those that the world knows by heart; none where it knows none. No words follow themselves.
 */
export function scheduleOf(day: string, texts: readonly string[]): WordsFrom[] {
  if (texts.length === 0) return []
  const rng = new Rng(seedOfDay(day), SCHEDULE_STREAM)
  const schedule: WordsFrom[] = []
  for (let tens = 0; tens * 10 < RUN_TICKS - SHORTEST * 10; tens += rng.int(SHORTEST, LONGEST + 1)) {
    const others = texts.filter((text) => text !== schedule.at(-1)?.text)
    const tick = tens === 0 ? 0 : tens * 10 + BETWEEN
    schedule.push({ tick, text: rng.pick(others.length > 0 ? others : texts) })
  }
  return schedule
}

/** Adds up a run, tick by tick, also where the drive goes back. */
export class Tally {
  /** Score at every counted tick. */
  private readonly at: number[] = [0]

  constructor(private readonly rule: RunRule) {}

  /** True for a tick whose readings count. */
  static counts(tick: number): boolean {
    return tick > 0 && tick % COUNTED_EVERY === 0
  }

  /** The readings of a tick that counts; null where they are not known. What was counted after it is forgotten. */
  count(tick: number, telemetry: Telemetry | null): void {
    const place = tick / COUNTED_EVERY
    const before = this.at[place - 1] ?? this.at.at(-1)!
    const gain = telemetry ? this.rule.gain(telemetry) : 0
    this.at.length = Math.min(this.at.length, place)
    this.at[place] = before + (Number.isFinite(gain) ? gain : 0) * COUNTED_EVERY
  }

  /** Score at a tick. */
  scoreAt(tick: number): number {
    return this.at[Math.min(Math.floor(tick / COUNTED_EVERY), this.at.length - 1)]!
  }
}

/** Counts a replayed log of a run. */
export class RunCheck {
  private readonly tally: Tally
  private last = 0

  constructor(
    private readonly log: ActionLog,
    rule: RunRule,
  ) {
    this.tally = new Tally(rule)
  }

  hear({ index, telemetry }: Tick): void {
    this.last = index
    if (Tally.counts(index)) this.tally.count(index, telemetry ?? null)
  }

  get score(): number {
    return this.tally.scoreAt(this.last)
  }

  /** Why the log is no such run, in a sentence; null where it is. `texts` are the words that the world knows by heart. */
  fault(texts: readonly string[]): string | null {
    const { run, begin, prompts, actions } = this.log
    if (!run) return 'The log is not that of a run.'
    const [first, ...changes] = scheduleOf(run.day, texts)
    if (!('reset' in begin) || firstTick(this.log) !== 0) return 'The run does not begin with a reset.'
    const { seed, start, prompt } = begin.reset
    if (seed !== seedOfDay(run.day))
      return `The seed of ${run.day} is ${seedOfDay(run.day)}, but it ran on ${seed}.`
    if (start !== undefined) return 'The run began from a start state, which no run does.'
    if (prompt?.text !== first?.text || prompt?.embedding)
      return `The run of ${run.day} begins with other words.`
    if (actions.length > RUN_TICKS) return `A run has ${RUN_TICKS} ticks, but ${actions.length} came.`
    const due = changes.filter(({ tick }) => tick < actions.length)
    const told = prompts.filter(({ afterTick }) => afterTick < actions.length)
    const same = (i: number) =>
      told[i]?.afterTick === due[i]?.tick && told[i]?.text === due[i]?.text && !told[i]?.embedding
    if (told.length !== due.length || !due.every((_, i) => same(i)))
      return `The run of ${run.day} has other words, or has them at other ticks.`
    if (Math.abs(this.score - run.score) > 0.05)
      return `The log says ${run.score.toFixed(1)}, but its actions make ${this.score.toFixed(1)}.`
    return null
  }
}
