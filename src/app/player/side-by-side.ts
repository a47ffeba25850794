import type { Action } from '../../engine/controls'
import { BadInputError, SnapshotMismatchError } from '../../engine/errors'
import type { Branch, Past, Timeline } from '../../engine/timeline'
import type {
  Pixels,
  Prompt,
  PromptReceipt,
  ResetOptions,
  Snapshot,
  Telemetry,
  Tick,
  World,
  WorldInfo,
} from '../../engine/world'

/** States of the second that are kept: two minutes of them are a megabyte or two. */
const KEPT = 2400

/**
 * Two worlds as one, under the same keys, prompt and seed, tick by tick. The first leads: its frames, its rate and its past are
 * the pair's, and it goes on with its own drive where only one is shown. The second's ticks go to `onSecond`. Closing the pair
 * closes neither world; their owner does.
 */
export class SideBySide implements World, Past {
  readonly info: WorldInfo
  /** States of the second by tick, to go back with the first. */
  private readonly states = new Map<number, Snapshot>()

  constructor(
    readonly first: Timeline,
    readonly second: World,
    private readonly onSecond: (tick: Tick) => void,
    /** A state of the second that is like this one of the first; null where there is none. */
    private readonly like: (first: Snapshot) => Snapshot | null = () => null,
  ) {
    const [one, other] = [first, second].map(({ info }) => info.controls.map(({ name }) => name).join(', '))
    if (one !== other) {
      throw new BadInputError(
        `Two worlds are shown side by side under the same controls, but one has ${one} and the other ${other}.`,
      )
    }
    this.info = {
      ...first.info,
      modelHash: `${first.info.modelHash}+${second.info.modelHash}`,
      backend: `${first.info.backend} + ${second.info.backend}`,
    }
  }

  get range(): Past['range'] {
    return this.first.range
  }

  get position(): number {
    return this.first.position
  }

  /** States of the second up to where the first is, oldest first. */
  get secondStates(): Snapshot[] {
    const states = [...this.states.values()].filter(({ tick }) => tick <= this.position)
    return states.sort((a, b) => a.tick - b.tick)
  }

  /**
   * The first is under way: the second joins it, in the last of these states, oldest first; where there is none, it begins on the
   * same seed and words.
   */
  async join(states: readonly Snapshot[]): Promise<Tick> {
    for (const state of states) this.states.set(state.tick, state)
    if (states.length === 0) {
      const { seed, prompt } = await this.first.snapshot()
      await this.resetSecond({ seed, ...(prompt ? { prompt: { text: prompt.text } } : {}) })
    }
    return this.seek(this.first.position)
  }

  async seek(target: number): Promise<Tick> {
    return this.arrive(await this.first.seek(target))
  }

  async returnTo(branch: Branch): Promise<Tick> {
    const tick = await this.first.returnTo(branch)
    // They are of the future that was left for it.
    this.states.clear()
    return this.arrive(tick)
  }

  reset(options: ResetOptions): Promise<Tick> {
    this.states.clear()
    return this.both(
      () => this.first.reset(options),
      () => this.resetSecond(options),
    )
  }

  step(action: Action): Promise<Tick> {
    return this.both(
      () => this.first.step(action),
      () => this.second.step(action),
    )
  }

  async setPrompt(prompt: Prompt | string): Promise<PromptReceipt> {
    const [first] = await Promise.all([this.first.setPrompt(prompt), this.second.setPrompt(prompt)])
    return first
  }

  async snapshot(): Promise<Snapshot> {
    const [a, b] = await Promise.all([this.first.snapshot(), this.second.snapshot()])
    const state: Record<string, Snapshot['state'][string]> = {}
    for (const [name, array] of Object.entries(a.state)) state[`first.${name}`] = array
    for (const [name, array] of Object.entries(b.state)) state[`second.${name}`] = array
    return { ...a, modelHash: this.info.modelHash, state }
  }

  async restore(snapshot: Snapshot): Promise<Tick> {
    if (snapshot.modelHash !== this.info.modelHash) {
      throw new SnapshotMismatchError('model', this.info.modelHash, snapshot.modelHash)
    }
    this.states.clear()
    return this.both(
      () => this.first.restore(part(snapshot, 'first.', this.first.info.modelHash)),
      () => this.second.restore(part(snapshot, 'second.', this.second.info.modelHash)),
    )
  }

  readPixels(): Promise<Pixels> {
    return this.first.readPixels()
  }

  readTelemetry(): Promise<Telemetry | null> {
    return this.first.readTelemetry()
  }

  async close(): Promise<void> {}

  /** The first is at another tick: the second goes to its own state of then, or else to one that is like the first's. */
  private async arrive(tick: Tick): Promise<Tick> {
    const state = this.states.get(tick.index) ?? this.like(await this.first.snapshot())
    if (state) {
      this.onSecond(await this.second.restore(state))
      this.states.set(tick.index, state)
    }
    return tick
  }

  private async keep(tick: number): Promise<void> {
    // What was ahead of it is of a future that was left.
    for (const other of this.states.keys())
      if (other > tick || other <= tick - KEPT) this.states.delete(other)
    this.states.set(tick, await this.second.snapshot())
  }

  /** A start of the first world need not be one of the second, which then begins where its words are. */
  private async resetSecond(options: ResetOptions): Promise<Tick> {
    try {
      return await this.second.reset(options)
    } catch (error) {
      if (!(error instanceof BadInputError) || options.start === undefined) throw error
      return this.second.reset({ ...options, start: undefined })
    }
  }

  /** Waits for both even where one fails, so that they never part by a tick unseen. */
  private async both(first: () => Promise<Tick>, second: () => Promise<Tick>): Promise<Tick> {
    const [a, b] = await Promise.allSettled([first(), second()])
    if (a.status === 'rejected') throw a.reason
    if (b.status === 'rejected') throw b.reason
    await this.keep(a.value.index)
    this.onSecond(b.value)
    return { ...a.value, timings: { ...a.value.timings, ...b.value.timings } }
  }
}

function part(snapshot: Snapshot, prefix: string, modelHash: string): Snapshot {
  const state: Record<string, Snapshot['state'][string]> = {}
  for (const [name, array] of Object.entries(snapshot.state)) {
    if (name.startsWith(prefix)) state[name.slice(prefix.length)] = array
  }
  if (Object.keys(state).length === 0) {
    throw new BadInputError(
      `A side-by-side snapshot holds the state of both worlds, but "${prefix}" is missing. Take a new snapshot.`,
    )
  }
  return { ...snapshot, modelHash, state }
}
