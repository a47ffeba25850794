import type { Clock, Pace } from './clock'
import { type Action, spaceOf } from './controls'
import { BadInputError } from './errors'
import type { InputSource } from './held-keys'
import { TaskQueue } from './task-queue'
import type { Prompt, PromptReceipt, ResetOptions, Snapshot, Tick, World } from './world'

/** A world advanced by one tick. */
export interface TickEvent {
  readonly type: 'tick'
  readonly epoch: number
  readonly tick: Tick
  readonly action: Action
  /** When it was due and began; null for a single step. */
  readonly pace: Pace | null
  /** When the input was sampled, monotonic milliseconds of the clock's time source. */
  readonly sampledAtMs: number
  /** When the world answered, monotonic milliseconds. */
  readonly finishedAtMs: number
}

export type LoopEvent =
  | TickEvent
  /** A first frame after a reset, restore, jump or world swap. */
  | { readonly type: 'begin'; readonly epoch: number; readonly tick: Tick; readonly cause: BeginCause }
  /** A prompt was taken; it counts from the tick after `afterTick` on. */
  | { readonly type: 'prompt'; readonly epoch: number; readonly text: string; readonly afterTick: number }
  | { readonly type: 'state'; readonly playing: boolean }
  /** Play stopped on an error of the world, or a listener threw. Errors of explicit calls reject their promise instead. */
  | { readonly type: 'error'; readonly error: unknown; readonly during: 'step' | 'listener' }

export type BeginCause = 'reset' | 'restore' | 'jump' | 'swap'

/** How a world begins when it is put in. `move`: it is under way already, and this puts it at a tick, as in `jump`. */
export type Begin =
  | { readonly reset: ResetOptions }
  | { readonly restore: Snapshot }
  | { readonly move: () => Promise<Tick> }

/**
 * Drives one world with a clock and an input source. It owns neither: closing them stays with whoever made them.
 *
 * Commands run between ticks in the order given. Every `reset`, `restore`, `jump` and `swap` raises `epoch` at once, and
 * what was still being computed for an older epoch is dropped when it arrives.
 *
 * @example
 * const loop = new Loop(world, new RealtimeClock(world.info.ticksPerSecond), new HeldKeys())
 * loop.listen((event) => { if (event.type === 'tick') stage.show(event.tick) })
 * await loop.reset({ seed: 7 })
 * loop.play()
 */
export class Loop {
  private queue = new TaskQueue()
  private readonly listeners = new Set<(event: LoopEvent) => void>()
  private driver: AbortController | null = null
  private currentEpoch = 0
  private tickIndex = 0
  private current: World

  constructor(
    world: World,
    readonly clock: Clock,
    private readonly input: InputSource,
  ) {
    this.current = world
  }

  get world(): World {
    return this.current
  }

  /** Grows with every reset, restore, jump and swap. */
  get epoch(): number {
    return this.currentEpoch
  }

  get playing(): boolean {
    return this.driver !== null
  }

  /** Index of the newest tick shown. */
  get tick(): number {
    return this.tickIndex
  }

  /** Hears every event from now on; returns how to stop. */
  listen(listener: (event: LoopEvent) => void): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  /** Plays in real time. Throws `BadInputError` on a lockstep clock. Harmless while playing. */
  play(): void {
    if (this.clock.mode === 'lockstep') {
      throw new BadInputError(
        'play() needs a realtime clock, but this loop is in lockstep. Call step() instead.',
      )
    }
    if (this.driver) return
    this.driver = new AbortController()
    this.clock.restart()
    this.emit({ type: 'state', playing: true })
    void this.drive(this.driver.signal)
  }

  /** Stops after the tick being computed, which still counts. Harmless while paused. */
  pause(): void {
    if (!this.driver) return
    this.driver.abort()
    this.driver = null
    this.emit({ type: 'state', playing: false })
  }

  /**
   * Pauses and advances one tick, with `action` or else the newest input. Null where a reset overtook it. Rejects with the
   * world's error.
   */
  step(action?: Action): Promise<Tick | null> {
    this.pause()
    return this.advance(null, () => action ?? this.sample())
  }

  /** Begins anew. Rejects with the world's error, and then the running state is kept. */
  reset(options: ResetOptions): Promise<Tick> {
    return this.begin('reset', (world) => world.reset(options))
  }

  /** Puts a snapshot back. Rejects with the world's error, and then the running state is kept. */
  restore(snapshot: Snapshot): Promise<Tick> {
    return this.begin('restore', (world) => world.restore(snapshot))
  }

  /** Lets `move` put the world at another tick, for example `() => timeline.seek(40)`. */
  jump(move: (world: World) => Promise<Tick>): Promise<Tick> {
    return this.begin('jump', move)
  }

  /** Takes effect on the tick that the receipt names, and never resets. Rejects with the world's error. */
  async setPrompt(prompt: Prompt | string): Promise<PromptReceipt> {
    const epoch = this.currentEpoch
    const world = this.current
    const text = typeof prompt === 'string' ? prompt : prompt.text
    let told!: Promise<PromptReceipt>
    await this.queue.run(() => {
      told = world.setPrompt(prompt)
    })
    // Not in the queue: words may have to be read first, and the world keeps the order of its calls by itself.
    const receipt = await told
    // Words that newer ones overtook never counted.
    if (epoch === this.currentEpoch && receipt.tick !== null) {
      this.emit({ type: 'prompt', epoch, text, afterTick: receipt.tick - 1 })
    }
    return receipt
  }

  /** The world's state between two ticks. */
  snapshot(): Promise<Snapshot> {
    const world = this.current
    return this.queue.run(() => world.snapshot())
  }

  /**
   * Begins in another world and puts it in; play goes on. The old world plays until the new one has its first frame, and
   * is never waited for, so one that hangs or is lost can be replaced. Resolves to the first frame and the old world, which
   * the caller closes or keeps. If the new world cannot begin, the promise rejects and nothing has changed; if it is no
   * longer `wanted` by then, nothing has changed either and the answer is null.
   *
   * To hand a drive over without losing a tick: `pause()`, `snapshot()`, `swap(other, { restore })`, `play()`.
   */
  async swap(
    world: World,
    begin: Begin,
    wanted: () => boolean = () => true,
  ): Promise<{ tick: Tick; former: World } | null> {
    const tick = await began(world, begin)
    if (!wanted()) return null
    const former = this.current
    this.driver?.abort()
    this.queue = new TaskQueue()
    this.current = world
    this.currentEpoch++
    this.arrive(tick, 'swap')
    if (this.driver) {
      this.driver = new AbortController()
      void this.drive(this.driver.signal)
    }
    return { tick, former }
  }

  /** Pauses and forgets the listeners. The world stays open. */
  close(): void {
    this.pause()
    this.listeners.clear()
  }

  private begin(cause: BeginCause, move: (world: World) => Promise<Tick>): Promise<Tick> {
    const epoch = ++this.currentEpoch
    const world = this.current
    return this.queue.run(async () => {
      const tick = await move(world)
      // A later command has already overtaken this first frame.
      if (epoch === this.currentEpoch) this.arrive(tick, cause)
      return tick
    })
  }

  private arrive(tick: Tick, cause: BeginCause): void {
    this.tickIndex = tick.index
    this.input.clear()
    if (this.clock.mode === 'realtime') this.clock.restart()
    this.emit({ type: 'begin', epoch: this.currentEpoch, tick, cause })
  }

  private async drive(signal: AbortSignal): Promise<void> {
    const { clock } = this
    if (clock.mode !== 'realtime') return
    while (!signal.aborted) {
      const pace = await clock.next(signal)
      if (!pace) return
      try {
        await this.advance(pace, () => (signal.aborted ? null : this.sample()))
      } catch (error) {
        if (signal.aborted) return
        this.pause()
        this.emit({ type: 'error', error, during: 'step' })
      }
    }
  }

  private sample(): Action {
    return this.input.sample(spaceOf(this.current.info.controls))
  }

  /** One tick between the other commands; null where `sample` gives no action or a later command overtook it. */
  private advance(pace: Pace | null, sample: () => Action | null): Promise<Tick | null> {
    const epoch = this.currentEpoch
    const world = this.current
    return this.queue.run(async () => {
      if (epoch !== this.currentEpoch) return null
      const sampledAtMs = this.clock.time.now()
      const action = sample()
      if (!action) return null
      try {
        const tick = await world.step(action)
        if (epoch !== this.currentEpoch) return null
        this.tickIndex = tick.index
        const finishedAtMs = this.clock.time.now()
        this.emit({ type: 'tick', epoch, tick, action, pace, sampledAtMs, finishedAtMs })
        return tick
      } catch (error) {
        if (epoch !== this.currentEpoch) return null
        throw error
      }
    })
  }

  private emit(event: LoopEvent): void {
    for (const listener of this.listeners) {
      try {
        listener(event)
      } catch (error) {
        if (event.type !== 'error') this.emit({ type: 'error', error, during: 'listener' })
      }
    }
  }
}

function began(world: World, begin: Begin): Promise<Tick> {
  if ('move' in begin) return begin.move()
  return 'reset' in begin ? world.reset(begin.reset) : world.restore(begin.restore)
}
