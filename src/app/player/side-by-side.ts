import type { Action } from '../../engine/controls'
import { BadInputError, SnapshotMismatchError } from '../../engine/errors'
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

/**
 * Two worlds as one, under the same keys, prompt and seed, tick by tick. The first leads: its frames and its rate are
 * the pair's. The second's ticks go to `onSecond`. Closing the pair closes neither world; their owner does.
 */
export class SideBySide implements World {
  readonly info: WorldInfo

  constructor(
    readonly first: World,
    readonly second: World,
    private readonly onSecond: (tick: Tick) => void,
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

  reset(options: ResetOptions): Promise<Tick> {
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
