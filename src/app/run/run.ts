import type { ActionLog } from '../../engine/action-log'
import type { LoopEvent } from '../../engine/loop'
import { RUN_TICKS, type RunRule, scheduleOf, seedOfDay, Tally, type WordsFrom } from '../../engine/run'
import type { Telemetry, World, WorldInfo } from '../../engine/world'
import { sentenceOf } from '../failures'
import { notify, type RunState, type Store } from '../store'
import { bestOf, keepBest, LINE_EVERY } from './best'

/** What a run needs of the drive. */
export interface RunDrive {
  readonly world: World | null
  beginWith(seed: number, text: string | null): Promise<void>
  tellNow(text: string): void
  play(): void
  log(): ActionLog
}

/**
 * A run: the drive of a day's seed, a minute long, under words that change when the day says so. It only listens; whatever
 * makes the drive another one ends it. Going back costs the time it took.
 */
export class Run {
  private rule: RunRule | null = null
  private tally: Tally | null = null
  private schedule: readonly WordsFrom[] = []
  private line: number[] = []
  private spent = 0
  private starting = false
  /** Readings that are still on their way from a GPU. */
  private reading: Promise<unknown> = Promise.resolve()
  /** The log of the run that is finished. */
  private proof: ActionLog | null = null

  constructor(
    private readonly store: Store,
    private readonly drive: RunDrive,
    private readonly ruleOf: (info: WorldInfo) => RunRule | null,
  ) {}

  /** The log of the finished run, which proves it. Null where the drive keeps none. */
  get log(): ActionLog | null {
    return this.proof
  }

  /** Begins the run of a day, also where one is under way. */
  async start(day: string): Promise<void> {
    const { world } = this.drive
    if (!this.rule || !world || this.starting) return
    const { presets } = this.store.getState()
    this.schedule = world.info.prompt
      ? scheduleOf(
          day,
          presets.map(({ text }) => text),
        )
      : []
    this.tally = new Tally(this.rule)
    this.line = [0]
    this.spent = 0
    this.proof = null
    this.starting = true
    try {
      await this.drive.beginWith(seedOfDay(day), this.schedule[0]?.text ?? null)
      const best = bestOf(day, world.info.modelHash)
      const run: RunState = { day, unit: this.rule.unit, spent: 0, score: 0, line: [0], best, done: false }
      this.store.setState({ run, help: false })
      this.drive.play()
    } catch (error) {
      this.store.setState({ run: null })
      notify(this.store, sentenceOf(error), 'warn')
    } finally {
      this.starting = false
    }
  }

  /** Ends it, without a score where it was under way. */
  leave(why?: string): void {
    if (!this.store.getState().run) return
    this.store.setState({ run: null })
    if (why) notify(this.store, why)
  }

  hear(event: LoopEvent, world: World): void {
    if (event.type === 'begin') this.meet(world.info)
    const { run } = this.store.getState()
    if (!run || run.done || this.starting) return
    if (event.type === 'begin') {
      if (event.cause !== 'jump') this.leave('Another drive began, so the run ended.')
      else this.show(event.tick.index, run)
    } else if (event.type === 'prompt') {
      if (event.text !== this.wordsAt(event.afterTick))
        this.leave('You chose the words yourself, so the run ended.')
    } else if (event.type === 'tick') {
      this.spent++
      const { index, telemetry } = event.tick
      if (Tally.counts(index)) this.count(world, index, telemetry)
      const change = this.schedule.find(({ tick }) => tick === index)
      if (this.spent >= RUN_TICKS) this.finish(index, run, world.info.modelHash)
      else {
        if (change) this.drive.tellNow(change.text)
        this.show(index, run)
      }
    }
  }

  /** A world is driven: whether there are runs in it. */
  meet(info: WorldInfo): void {
    const { place, shown } = this.store.getState()
    // On a server no log is kept that could prove it; of two worlds at once there is no one score.
    const can = (shown === 'simulator' || place === 'device') && shown !== 'both'
    this.rule = can ? this.ruleOf(info) : null
    this.store.setState({ runnable: this.rule !== null })
  }

  private count(world: World, index: number, telemetry?: Telemetry): void {
    const { tally } = this
    if (telemetry) tally?.count(index, telemetry)
    else {
      const read = world.readTelemetry().catch(() => null)
      this.reading = read.then((readings) => tally?.count(index, readings))
    }
  }

  /** The drive is at a tick of the run, on its way or after it went back. */
  private show(index: number, run: RunState): void {
    const score = this.tally!.scoreAt(index)
    const seconds = Math.floor(this.spent / LINE_EVERY)
    // Seconds that passed while it went back have the score that it came back to.
    while (this.line.length <= seconds) this.line.push(score)
    this.store.setState({ run: { ...run, spent: this.spent, score, line: [...this.line] } })
  }

  private finish(index: number, run: RunState, model: string): void {
    const log = this.logOf()
    const tally = this.tally!
    this.store.setState({ run: { ...run, spent: this.spent, done: true } })
    void this.reading.then(() => {
      if (tally !== this.tally) return
      const score = tally.scoreAt(index)
      const line = [...this.line.slice(0, RUN_TICKS / LINE_EVERY), score]
      this.proof = log && { ...log, run: { day: run.day, score } }
      if (!keepBest(run.day, model, { score, line }))
        notify(this.store, 'This browser keeps nothing, so the run is forgotten with the page.', 'warn')
      this.store.setState({ run: { ...run, spent: this.spent, score, line, done: true } })
    })
  }

  private logOf(): ActionLog | null {
    try {
      return this.drive.log()
    } catch {
      return null
    }
  }

  private wordsAt(tick: number): string | undefined {
    return this.schedule.findLast((words) => words.tick <= tick)?.text
  }
}
