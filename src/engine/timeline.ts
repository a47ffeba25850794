import { encodeSnapshot } from './action-log'
import type { Action } from './controls'
import { BadInputError } from './errors'
import { playOn } from './play-on'
import { type Line, Recorder } from './recorder'
import { expectFrame, hold, type UntilOptions, until } from './script'
import type { Pixels, Prompt, PromptReceipt, Snapshot, Tick, World } from './world'

/** What can go back in a drive. */
export interface Past {
  /** The first and last tick that `seek` reaches, or null where there is no way back. */
  readonly range: { readonly from: number; readonly to: number } | null
  /** The tick that the drive is at. */
  readonly position: number
  /** Goes to a tick, backwards or forwards. Throws `BadInputError` outside `range`. */
  seek(target: number): Promise<Tick>
}

export interface TimelineOptions {
  /** Ticks from one snapshot to the next; a seek replays at most one less. Default 20. */
  readonly every?: number
  /** Snapshots kept; the oldest goes first. Default 120. */
  readonly capacity?: number
  /** Bytes that they may take together. Default no limit. */
  readonly maxBytes?: number
  /** Hears of every future that was left, where it was long enough to come back to. */
  readonly onBranch?: (branch: Branch) => void
}

/** A future that was left, to come back to with {@link Timeline.returnTo}. */
export interface Branch {
  readonly id: number
  /** The last tick that it shares with what came in its place, and its own last. */
  readonly from: number
  readonly to: number
  /** Its last frame; null where nobody could read it. */
  readonly frame: Pixels | null
  /** @internal */
  readonly line: Line
  /** @internal The last snapshot before its end. */
  readonly snapshot: Snapshot
}

/** Ticks that a future must have to be worth coming back to. */
const WORTH = 20

/**
 * A world with a past, and in the hands of a script. It keeps a bounded ring of snapshots and every action, so any tick in `range` is reached by
 * restoring the snapshot before it and replaying. Seeking alone loses nothing; the first step or prompt after it cuts the
 * old future off and branches.
 *
 * @example
 * const timeline = new Timeline(dream)
 * await timeline.reset({ seed: 7 })
 * await timeline.hold({ jump: 1 }, 20) // controls that are not named rest
 * const { index } = await timeline.until(({ done }) => done === true, { hold: { run: 1 }, most: 400 })
 * await timeline.seek(index - 10)
 */
export class Timeline extends Recorder implements Past {
  private readonly every: number
  private readonly capacity: number
  /** Oldest first. */
  private snapshots: Snapshot[] = []
  /** Where a seek left the world, or null at the head. */
  private soughtTick: number | null = null
  /** What a seek showed last. */
  private sought: Tick | null = null
  private readonly maxBytes: number
  private readonly onBranch: (branch: Branch) => void
  private branches = 0
  /** Branches up to this one are of drives before. */
  private outdated = 0
  /** The newest frame, and that of the head once a seek left it. */
  private newest: Pixels | null = null
  private left: Pixels | null = null

  constructor(
    inner: World,
    {
      every = 20,
      capacity = 120,
      maxBytes = Number.POSITIVE_INFINITY,
      onBranch = () => {},
    }: TimelineOptions = {},
  ) {
    super(inner)
    this.maxBytes = maxBytes
    this.onBranch = onBranch
    if (!(Number.isInteger(every) && every > 0 && Number.isInteger(capacity) && capacity > 0)) {
      throw new BadInputError(
        `every and capacity are positive whole numbers, but ${every} and ${capacity} came.`,
      )
    }
    this.every = every
    this.capacity = capacity
  }

  /** The first and last tick that `seek` reaches, or null before a reset. */
  get range(): { readonly from: number; readonly to: number } | null {
    const oldest = this.snapshots[0]
    return oldest ? { from: oldest.tick, to: this.head } : null
  }

  /** The tick that the world is at. */
  get position(): number {
    return this.soughtTick ?? this.head
  }

  /** The newest snapshot kept, to go on from where a world is lost. */
  get lastSnapshot(): Snapshot | null {
    return this.snapshots.at(-1) ?? null
  }

  /** The snapshots kept, oldest first. */
  get kept(): readonly Snapshot[] {
    return this.snapshots
  }

  /**
   * Puts snapshots before the drive's own, oldest first: a past that was not played here. A seek goes to them alone, not between
   * them, and whoever drives on from one begins a new log there.
   */
  precede(snapshots: readonly Snapshot[]): void {
    this.snapshots.unshift(...snapshots.filter(({ tick }) => tick < this.first))
    this.shrink()
  }

  override step(action: Action): Promise<Tick> {
    const stepped = super.step(action)
    // Behind the step and before whatever is called next, without delaying the step's own answer.
    void this.queue.run(() => this.keepWhenDue())
    return stepped
  }

  /**
   * Goes to a tick, backwards or forwards. Throws `BadInputError` outside `range`; on an error of the world, `position`
   * tells how far it came.
   */
  seek(target: number): Promise<Tick> {
    return this.queue.run(async () => {
      const snapshot = this.snapshots.findLast(({ tick }) => tick <= target)
      if (!snapshot || !Number.isInteger(target) || target > this.head) {
        const { from, to } = this.range ?? { from: 0, to: 0 }
        throw new BadInputError(`The timeline reaches from tick ${from} to ${to}, but ${target} came.`)
      }
      await this.leaveHead()
      return this.goTo(snapshot, target < this.first ? snapshot.tick : target)
    })
  }

  /**
   * Goes on at the end of a future that was left; what is there now is left in its place. Throws `BadInputError` where another
   * drive began since.
   */
  returnTo(branch: Branch): Promise<Tick> {
    return this.queue.run(async () => {
      const { line, snapshot, to } = branch
      if (branch.id <= this.outdated) {
        throw new BadInputError('That future is of another drive, which is over. Choose one of this drive.')
      }
      await this.leaveHead()
      const now = this.line()
      const fork = this.forkOf(now, line)
      this.tellBranch(fork)
      this.putBack(line)
      this.snapshots = this.snapshots.filter(({ tick }) => tick <= fork && tick < snapshot.tick)
      this.snapshots.push(snapshot)
      return this.goTo(snapshot, to)
    })
  }

  private async goTo(snapshot: Snapshot, target: number): Promise<Tick> {
    let tick: Tick = await this.inner.restore(snapshot)
    this.soughtTick = snapshot.tick
    const played = {
      prompts: (after: number) => this.promptsAfter(after),
      action: (to: number) => this.actionTo(to),
    }
    await playOn(this.inner, played, snapshot.tick, target, (next, index) => {
      tick = next
      this.soughtTick = index
    })
    if (target === this.head) {
      for (const prompt of this.promptsAfter(target)) await this.inner.setPrompt(prompt)
      this.soughtTick = null
      this.newest = tick.frame
    }
    this.sought = tick
    return tick
  }

  /** Keeps the picture of the head, which a branch may need. */
  private async leaveHead(): Promise<void> {
    if (this.soughtTick !== null) return
    this.left = this.newest ?? (await this.inner.readPixels().catch(() => null))
  }

  /** Says that what is after a tick is left. */
  private tellBranch(from: number): void {
    const snapshot = this.snapshots.at(-1)
    if (this.head - from < WORTH || !snapshot || snapshot.tick < from) return
    const id = ++this.branches
    this.onBranch({ id, from, to: this.head, frame: this.left, line: this.line(), snapshot })
  }

  /**
   * Holds controls for so many ticks, those that are not named at rest; resolves with the last tick. Throws `BadInputError`,
   * and then nothing has moved.
   */
  hold(controls: Action, ticks: number): Promise<Tick> {
    return hold(this, controls, ticks)
  }

  /**
   * Steps until the condition holds of a tick, and resolves with it. Throws an `OneiroError` with the code `NOT_REACHED` where
   * it did not within `most` ticks, 1,000 by default.
   */
  until(condition: (tick: Tick) => boolean, options?: UntilOptions): Promise<Tick> {
    return until(this, condition, options)
  }

  /**
   * How near the newest frame is to an image of its size, in dB of PSNR. Throws an `OneiroError` with the code `FRAME_DIFFERS`
   * where that is less than `dB`, 40 by default: the same but for roundings.
   */
  expectFrame(image: Pixels, { dB }: { readonly dB?: number } = {}): Promise<number> {
    return expectFrame(this, image, dB)
  }

  protected override async stepNow(action: Action): Promise<Tick> {
    this.branch()
    const tick = await super.stepNow(action)
    this.newest = tick.frame
    return tick
  }

  protected override async promptNow(prompt: Prompt | string): Promise<PromptReceipt> {
    this.branch()
    return super.promptNow(prompt)
  }

  protected override async began(tick: Tick): Promise<void> {
    this.soughtTick = null
    this.outdated = this.branches
    this.newest = tick.frame
    this.snapshots = []
    await this.keep()
  }

  private branch(): void {
    const from = this.soughtTick
    if (from === null) return
    if (from < this.first) {
      // A past that was not played here: the log of what follows begins at it.
      this.outdated = this.branches
      this.restart(encodeSnapshot(this.snapshots.findLast(({ tick }) => tick === from)!), this.sought!)
    } else {
      this.tellBranch(from)
      this.cut(from)
    }
    this.snapshots = this.snapshots.filter(({ tick }) => tick <= from)
    this.soughtTick = null
  }

  private async keepWhenDue(): Promise<void> {
    const newest = this.snapshots.at(-1)
    if (newest && this.head >= newest.tick + this.every) await this.keep()
  }

  private async keep(): Promise<void> {
    try {
      this.snapshots.push(await this.inner.snapshot())
      this.shrink()
    } catch {
      // A world that cannot be read (closed, device lost) says so at the next step; the timeline only lacks a snapshot.
    }
  }

  private shrink(): void {
    const bytes = sizeOf(this.snapshots.at(-1)!)
    const most = Math.max(1, Math.floor(Math.min(this.capacity, this.maxBytes / bytes)))
    this.snapshots.splice(0, this.snapshots.length - most)
  }
}

function sizeOf({ state }: Snapshot): number {
  return Object.values(state).reduce((sum, numbers) => sum + numbers.byteLength, 0)
}
