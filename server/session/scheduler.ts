import type { TimeSource } from '../../src/engine/clock'
import type { Action } from '../../src/engine/controls'
import type { FrameFormat } from '../../src/net/protocol/messages'
import { BatchSize } from '../engine/batch-size'
import type { Engine, Picture } from '../engine/engine'

/** What the scheduler asks a session for just before its tick, so that the newest input counts. */
export interface TickInput {
  readonly action: Action
  /** In which its picture will be sent, each once; none where it would not be. */
  readonly formats: readonly FrameFormat[]
}

/** A session's tick once it is computed. */
export interface Ticked {
  /** One for each format that was asked for; none where a reset overtook the tick. */
  readonly pictures: readonly Picture[]
  /** From when it was due to when it began, milliseconds. */
  readonly queueMs: number
  readonly studentMs: number
  readonly batch: number
}

/** Whoever has ticks computed. */
export interface Schedulable {
  readonly id: string
  /** True while it plays by the server's clock. */
  readonly realtime: boolean
  /** Null where it needs no tick any more. */
  tickInput(): TickInput | null
  ticked(ticked: Ticked): void
  failed(error: unknown): void
}

export interface SchedulerStats {
  /** Periods in which no batch could begin, because the one before took too long. */
  readonly missedPeriods: number
  /** Realtime ticks that were due while the one before was still waiting in line. */
  readonly overdueTicks: number
  readonly batches: number
  readonly ticks: number
}

export interface BatchReport {
  readonly batch: number
  readonly tookMs: number
  /** Of the session that waited longest. */
  readonly queueMs: number
}

/** What is not a tick waits so long for spare time at most. */
export const SPARE_MS = 250

interface Due {
  readonly schedulable: Schedulable
  readonly dueAtMs: number
}

/**
 * Decides who ticks when. Realtime sessions are due on one fixed grid of deadlines, lockstep ones when they ask. All that
 * are due wait in one line, each at most once, and every run takes the head of it: nobody is passed over, and if the
 * machine cannot hold the rate, everybody's world slows alike.
 */
export class Scheduler {
  private readonly schedulables = new Map<string, Schedulable>()
  private readonly line = new Map<string, Due>()
  private running: { stop: AbortController; done: Promise<void> } | null = null
  private wake: AbortController | null = null
  private others: { readonly untilMs: number; resolve(): void }[] = []
  private missedPeriods = 0
  private overdueTicks = 0
  private batches = 0
  private ticks = 0
  private readonly size: BatchSize

  constructor(
    private readonly engine: Pick<Engine, 'step' | 'maxBatch'>,
    private readonly periodMs: number,
    private readonly time: TimeSource,
    private readonly onBatch: (report: BatchReport) => void = () => {},
  ) {
    this.size = new BatchSize(engine.maxBatch, periodMs)
  }

  get stats(): SchedulerStats {
    const { missedPeriods, overdueTicks, batches, ticks } = this
    return { missedPeriods, overdueTicks, batches, ticks }
  }

  add(schedulable: Schedulable): void {
    this.schedulables.set(schedulable.id, schedulable)
  }

  remove(id: string): void {
    this.schedulables.delete(id)
    this.line.delete(id)
  }

  /** A lockstep session asks for its next tick; `ticked` or `failed` answers. */
  request(schedulable: Schedulable): void {
    this.enqueue(schedulable, this.time.now())
    this.wake?.abort()
  }

  /**
   * Resolves when there is time beside the ticks: at once while nobody is due, and at the latest after `SPARE_MS`, so that
   * on a machine that is behind one client's new beginnings do not slow the ticks of all.
   */
  spare(): Promise<void> {
    if (!this.running || this.wake) return Promise.resolve()
    return new Promise((resolve) => this.others.push({ resolve, untilMs: this.time.now() + SPARE_MS }))
  }

  start(): void {
    if (this.running) return
    const stop = new AbortController()
    this.running = { stop, done: this.run(stop.signal) }
  }

  /** Resolves once the batch under way is done. */
  async stop(): Promise<void> {
    const { running } = this
    this.running = null
    running?.stop.abort()
    this.wake?.abort()
    await running?.done
    this.release(Number.POSITIVE_INFINITY)
  }

  /** Lets those go on who waited for spare time until then. */
  private release(nowMs: number): void {
    const ready = this.others.filter(({ untilMs }) => untilMs <= nowMs)
    this.others = this.others.filter(({ untilMs }) => untilMs > nowMs)
    for (const { resolve } of ready) resolve()
  }

  private enqueue(schedulable: Schedulable, dueAtMs: number): void {
    if (!this.line.has(schedulable.id)) this.line.set(schedulable.id, { schedulable, dueAtMs })
  }

  private async run(stop: AbortSignal): Promise<void> {
    let deadlineMs = this.time.now()
    while (!stop.aborted) {
      const nowMs = this.time.now()
      if (nowMs >= deadlineMs) {
        for (const schedulable of this.schedulables.values()) {
          if (!schedulable.realtime) continue
          if (this.line.has(schedulable.id)) this.overdueTicks++
          else this.enqueue(schedulable, deadlineMs)
        }
        const periods = Math.floor((nowMs - deadlineMs) / this.periodMs) + 1
        this.missedPeriods += periods - 1
        deadlineMs += periods * this.periodMs
      }
      this.release(nowMs)
      if (this.line.size > 0) await this.batch()
      else await this.rest(deadlineMs - this.time.now())
    }
  }

  private async rest(ms: number): Promise<void> {
    this.release(Number.POSITIVE_INFINITY)
    this.wake = new AbortController()
    await this.time.sleep(ms, this.wake.signal)
    this.wake = null
  }

  /** Computes the head of the line. */
  private async batch(): Promise<void> {
    const startedMs = this.time.now()
    const entries: (Due & TickInput)[] = []
    const most = this.size.choose(this.line.size)
    for (const [id, due] of this.line) {
      if (entries.length === most) break
      this.line.delete(id)
      // To the end: of those that are due together, who was served longest ago is first.
      if (this.schedulables.delete(id)) this.schedulables.set(id, due.schedulable)
      const input = due.schedulable.tickInput()
      if (input) entries.push({ ...due, ...input })
    }
    if (entries.length === 0) return
    const jobs = entries.map(({ schedulable, action, formats }) => ({
      session: schedulable.id,
      action,
      formats,
    }))
    try {
      const stepped = await this.engine.step(jobs)
      this.size.observe(entries.length, this.time.now() - startedMs)
      for (const { schedulable, dueAtMs } of entries) {
        const pictures = stepped.pictures.filter(({ session }) => session === schedulable.id)
        const queueMs = startedMs - dueAtMs
        deliver(schedulable, { pictures, queueMs, studentMs: stepped.studentMs, batch: entries.length })
      }
    } catch (error) {
      for (const { schedulable } of entries) schedulable.failed(error)
    }
    this.batches++
    this.ticks += entries.length
    const queueMs = Math.max(...entries.map(({ dueAtMs }) => startedMs - dueAtMs))
    this.onBatch({ batch: entries.length, tookMs: this.time.now() - startedMs, queueMs })
  }
}

/** What fails in one session is no matter of the others in its run. */
function deliver(schedulable: Schedulable, ticked: Ticked): void {
  try {
    schedulable.ticked(ticked)
  } catch (error) {
    schedulable.failed(error)
  }
}
