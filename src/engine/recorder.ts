import { type ActionLog, decodePrompt, encodePrompt, encodeReset, encodeSnapshot } from './action-log'
import { isWhole } from './checks'
import { type Action, spaceOf } from './controls'
import { NotReadyError } from './errors'
import { hashPixels } from './frame-hash'
import { TaskQueue } from './task-queue'
import {
  FORMAT_VERSION,
  type Pixels,
  type Prompt,
  type PromptReceipt,
  type ResetOptions,
  type Snapshot,
  type Telemetry,
  type Tick,
  type World,
  type WorldInfo,
} from './world'

/** Grows by doubling, so that a long drive costs twenty bytes a tick and no garbage. */
class Column<Numbers extends Uint32Array | Float64Array> {
  length = 0
  constructor(
    private values: Numbers,
    private readonly make: (length: number) => Numbers,
  ) {}

  push(value: number): void {
    if (this.length === this.values.length) {
      const grown = this.make(this.length * 2)
      grown.set(this.values)
      this.values = grown
    }
    this.values[this.length++] = value
  }

  at(index: number): number {
    return this.values[index]!
  }

  toArray(): number[] {
    return [...this.values.subarray(0, this.length)]
  }

  fill(values: readonly number[]): void {
    this.length = 0
    for (const value of values) this.push(value)
  }
}

const NO_HASH = -1

/** A drive since it began, to be put back. */
export interface Line {
  readonly codes: readonly number[]
  readonly hashesHigh: readonly number[]
  readonly hashesLow: readonly number[]
  readonly prompts: ActionLog['prompts']
}

/**
 * A world that writes down what it is told: wrap any world in it, use it as that world, and `log()` is the drive since the
 * last reset or restore. Closing it closes the world.
 */
export class Recorder implements World {
  protected readonly queue = new TaskQueue()
  private begin: ActionLog['begin'] | null = null
  protected first = 0
  private readonly codes = new Column(new Uint32Array(1024), (length) => new Uint32Array(length))
  /** High and low halves of each frame's hash; the first frame's first. */
  private readonly hashesHigh = new Column(new Float64Array(1024), (length) => new Float64Array(length))
  private readonly hashesLow = new Column(new Float64Array(1024), (length) => new Float64Array(length))
  private prompts: ActionLog['prompts'][number][] = []

  constructor(protected readonly inner: World) {}

  get info(): WorldInfo {
    return this.inner.info
  }

  /** Tick of the newest recorded frame. */
  get head(): number {
    return this.first + this.codes.length
  }

  reset(options: ResetOptions): Promise<Tick> {
    return this.queue.run(async () => {
      const tick = await this.inner.reset(options)
      this.restart(encodeReset(options), tick)
      await this.began(tick)
      return tick
    })
  }

  restore(snapshot: Snapshot): Promise<Tick> {
    return this.queue.run(async () => {
      const tick = await this.inner.restore(snapshot)
      this.restart(encodeSnapshot(isWhole(snapshot) ? snapshot : await this.inner.snapshot()), tick)
      await this.began(tick)
      return tick
    })
  }

  step(action: Action): Promise<Tick> {
    return this.queue.run(() => this.stepNow(action))
  }

  setPrompt(prompt: Prompt | string): Promise<PromptReceipt> {
    return this.queue.run(() => this.promptNow(prompt))
  }

  snapshot(): Promise<Snapshot> {
    return this.queue.run(() => this.inner.snapshot())
  }

  readPixels(): Promise<Pixels> {
    return this.queue.run(() => this.inner.readPixels())
  }

  readTelemetry(): Promise<Telemetry | null> {
    return this.queue.run(() => this.inner.readTelemetry())
  }

  /** Futures are not written down. */
  get fork(): World['fork'] {
    const { inner } = this
    return inner.fork && ((count) => this.queue.run(() => inner.fork!(count)))
  }

  close(): Promise<void> {
    return this.inner.close()
  }

  /** The drive since the last reset or restore. Throws `NotReadyError` before the first. */
  log(): ActionLog {
    if (!this.begin) throw new NotReadyError('log')
    const { id, modelHash, backend, controls } = this.info
    const count = this.codes.length
    return {
      format: 'oneiro-actions',
      version: FORMAT_VERSION,
      world: id,
      modelHash,
      backend,
      controls,
      begin: this.begin,
      actions: this.codes.toArray(),
      prompts: [...this.prompts],
      hashes: Array.from({ length: count + 1 }, (_, i) => this.hashAt(i)),
    }
  }

  protected async stepNow(action: Action): Promise<Tick> {
    const tick = await this.inner.step(action)
    this.codes.push(spaceOf(this.info.controls).code(action))
    this.pushHash(tick)
    return tick
  }

  protected async promptNow(prompt: Prompt | string): Promise<PromptReceipt> {
    const receipt = await this.inner.setPrompt(prompt)
    this.prompts.push({ afterTick: this.head, ...encodePrompt(prompt) })
    return receipt
  }

  /** Called after each reset and restore, before any other call. */
  protected async began(_tick: Tick): Promise<void> {}

  /** All that was written down since the drive began. */
  protected line(): Line {
    const { codes, hashesHigh, hashesLow } = this
    return {
      codes: codes.toArray(),
      hashesHigh: hashesHigh.toArray(),
      hashesLow: hashesLow.toArray(),
      prompts: [...this.prompts],
    }
  }

  /** Puts a line of the same drive in place of what is written down. */
  protected putBack(line: Line): void {
    this.codes.fill(line.codes)
    this.hashesHigh.fill(line.hashesHigh)
    this.hashesLow.fill(line.hashesLow)
    this.prompts = [...line.prompts]
  }

  /** The last tick that two lines have in common. */
  protected forkOf(a: Line, b: Line): number {
    const length = Math.min(a.codes.length, b.codes.length)
    let same = a.codes.findIndex((code, i) => i >= length || code !== b.codes[i])
    if (same < 0) same = length
    const tell = ({ prompts }: Line, tick: number) =>
      JSON.stringify(prompts.filter(({ afterTick }) => afterTick === tick))
    const words = [...a.prompts, ...b.prompts].map(({ afterTick }) => afterTick)
    const other = words.filter((tick) => tell(a, tick) !== tell(b, tick))
    return Math.min(this.first + same, ...other)
  }

  /** Forgets what came after a tick. */
  protected cut(head: number): void {
    this.codes.length = head - this.first
    this.hashesHigh.length = this.hashesLow.length = this.codes.length + 1
    this.prompts = this.prompts.filter(({ afterTick }) => afterTick < head)
  }

  /** The action that led to a tick. */
  protected actionTo(index: number): Action {
    return spaceOf(this.info.controls).action(this.codes.at(index - this.first - 1))
  }

  /** The prompts given between a tick and the next. */
  protected promptsAfter(index: number): Prompt[] {
    return this.prompts.filter(({ afterTick }) => afterTick === index).map(decodePrompt)
  }

  /** Begins a new log at a tick. */
  protected restart(begin: ActionLog['begin'], tick: Tick): void {
    this.begin = begin
    this.first = tick.index
    this.codes.length = this.hashesHigh.length = this.hashesLow.length = 0
    this.prompts = []
    this.pushHash(tick)
  }

  private pushHash({ frame }: Tick): void {
    const hash = frame && hashPixels(frame)
    this.hashesHigh.push(hash ? Number.parseInt(hash.slice(0, 8), 16) : NO_HASH)
    this.hashesLow.push(hash ? Number.parseInt(hash.slice(8), 16) : NO_HASH)
  }

  private hashAt(index: number): string | null {
    const high = this.hashesHigh.at(index)
    if (high === NO_HASH) return null
    const hex = (half: number) => half.toString(16).padStart(8, '0')
    return hex(high) + hex(this.hashesLow.at(index))
  }
}
