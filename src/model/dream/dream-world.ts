import type { Action } from '../../engine/controls'
import { NotReadyError, OneiroError, WorldClosedError } from '../../engine/errors'
import { judged, type Task } from '../../engine/task'
import { TaskQueue } from '../../engine/task-queue'
import type {
  Futures,
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
import type { WorldFiles } from '../assets/world-files'
import type { Backend, BackendCounts, Stages } from '../backends/backend'
import { DeviceLostError } from '../errors'
import { Prompts } from '../prompt/prompts'
import type { ResolvedPrompt } from '../prompt/resolved'
import { encodeAction, idleAction } from './actions'
import type { BatchedDream } from './batched-dream'
import type { DreamListener } from './dream-events'
import { checkCount, DreamFutures } from './futures'
import { infoOf, taskIn } from './info'
import { Recovery } from './recovery'
import { tickNoise } from './self-test'
import { type Beginning, type DreamState, firstState, restoredState, toSnapshot } from './snapshot'
import { telemetryIn } from './telemetry'

export interface DreamWorldOptions {
  readonly files: Pick<WorldFiles, 'manifest' | 'shape' | 'starts' | 'beginnings' | 'knownPrompts'>
  /** Owned by the world from now on. */
  readonly backend: Backend
  /** Embeds words that are neither preset nor caption. Left out, such words are refused. */
  readonly encodePrompt?: (text: string) => Promise<Float32Array>
  /** Makes another backend after this one lost its device. Left out, a lost device is the end. */
  readonly reopen?: (lost: DeviceLostError) => Promise<Backend>
  readonly onEvent?: DreamListener
  /** Told of every checkpoint that recovery would begin from. */
  readonly onCheckpoint?: (snapshot: Snapshot) => void
  /** Ticks between checkpoints. Default 20; none are taken where there is neither `reopen` nor `onCheckpoint`. */
  readonly checkpointEvery?: number
  /** Opens as many dreams on one student, for `fork`. Left out, the world has none. */
  readonly openBatch?: (count: number) => Promise<BatchedDream>
  /** Called once when the world is closed, after the backend is freed. */
  readonly onClose?: () => Promise<void>
}

export interface DreamStats extends BackendCounts {
  /** Ticks since the world was opened, replays of a recovery included. */
  readonly ticks: number
  readonly deviceLosses: number
}

/** The dream: `World` over a backend. It holds what is small (actions, tick, seed, prompt); latents stay in the backend. */
export class DreamWorld implements World {
  private readonly queue = new TaskQueue()
  private readonly prompts: Prompts
  private readonly recovery: Recovery
  private readonly task: Task | null
  readonly fork?: (count: number) => Promise<Futures>
  private readonly actions: Float32Array
  private readonly noise: Float32Array
  private backend: Backend
  private state: DreamState | null = null
  private epoch = 0
  private ticks = 0
  private deviceLosses = 0
  private lost: DeviceLostError | null = null
  private failed: OneiroError | null = null
  private closing: Promise<void> | null = null

  constructor(private readonly options: DreamWorldOptions) {
    const { shape } = options.files
    this.backend = options.backend
    this.task = taskIn(options.files.manifest)
    const { openBatch } = options
    if (openBatch) this.fork = (count) => this.forked(count, openBatch)
    this.prompts = new Prompts(options.files, options.encodePrompt)
    const checkpoints = options.reopen || options.onCheckpoint
    this.recovery = new Recovery(checkpoints ? (options.checkpointEvery ?? 20) : 0)
    this.actions = new Float32Array(shape.actionCount * shape.actionDims)
    this.noise = new Float32Array(shape.noiseCount * shape.latentLength)
    this.watch(this.backend)
  }

  get info(): WorldInfo {
    return infoOf(this.options.files.manifest, this.backend.name)
  }

  /** What is held now, for tests that nothing grows with ticks. */
  get stats(): DreamStats {
    return { ...this.backend.counts(), ticks: this.ticks, deviceLosses: this.deviceLosses }
  }

  /** Where a GPU backend presents frames, else null. It can be another object after a device was lost. */
  get screen() {
    return this.backend.screen
  }

  reset(options: ResetOptions): Promise<Tick> {
    this.prompts.outdate()
    return this.call('reset', async () =>
      this.begin(await firstState(this.options.files, this.prompts, options)),
    )
  }

  step(action: Action): Promise<Tick> {
    return this.call('step', async () => {
      const state = this.needReset('step')
      const now = new Float32Array(this.options.files.shape.actionDims)
      encodeAction(this.options.files.manifest, action, now)
      const stages = await this.surviving(() => this.advance(state, now))
      this.recovery.ticked(now, state)
      this.checkpointWhenDue(state)
      return this.result(stages)
    })
  }

  async setPrompt(prompt: Prompt | string): Promise<PromptReceipt> {
    const turn = this.prompts.outdate()
    const take = (words: ResolvedPrompt): PromptReceipt => {
      if (!turn.isLatest()) return { tick: null }
      Object.assign(this.state!, words)
      return { tick: this.state!.tick + 1 }
    }
    const taken = await this.call('setPrompt', () => {
      this.needReset('setPrompt')
      const known = this.prompts.known(prompt)
      return known && take(known)
    })
    if (taken) return taken
    // The encoder may have to load first. Play goes on meanwhile, so this waits outside the queue.
    const resolved = await this.prompts.resolve(prompt)
    return this.call('setPrompt', () => take(resolved))
  }

  snapshot(): Promise<Snapshot> {
    return this.call('snapshot', async () => {
      const state = this.needReset('snapshot')
      const latents = await this.surviving(() => this.backend.readLatents())
      return toSnapshot(this.options.files, state, latents)
    })
  }

  restore(snapshot: Snapshot): Promise<Tick> {
    this.prompts.outdate()
    return this.call('restore', async () =>
      this.begin(await restoredState(this.options.files, this.prompts, snapshot)),
    )
  }

  readPixels(): Promise<Pixels> {
    return this.call('readPixels', () => {
      this.needReset('readPixels')
      return this.surviving(() => this.backend.readFrame())
    })
  }

  readTelemetry(): Promise<Telemetry | null> {
    return this.call('readTelemetry', async () => {
      this.needReset('readTelemetry')
      return (await this.surviving(() => this.telemetry())) ?? null
    })
  }

  close(): Promise<void> {
    this.closing ??= this.queue.run(async () => {
      await this.backend.dispose()
      await this.options.onClose?.()
    })
    return this.closing
  }

  private async forked(
    count: number,
    openBatch: NonNullable<DreamWorldOptions['openBatch']>,
  ): Promise<Futures> {
    const snapshot = await this.snapshot()
    checkCount(count)
    return DreamFutures.open(await openBatch(count), this.options.files, snapshot, count)
  }

  /** Puts a state in place once the backend has it, so that a failure leaves the running one. */
  private async begin({ state, latents }: Beginning): Promise<Tick> {
    const begun = await this.surviving(() => this.begun(state, latents))
    this.state = state
    this.epoch++
    this.recovery.begin(state, begun)
    this.tellCheckpoint(state, begun)
    return this.result({})
  }

  /** Puts a beginning into the backend, with the ticks before its first frame -> the latents of that frame [R,T,C]. */
  private async begun(state: DreamState, latents: Float32Array): Promise<Float32Array> {
    if (state.tick >= 0) {
      await this.backend.begin(latents)
      return latents
    }
    const { tick } = state
    const past = state.past.slice()
    const idle = idleAction(this.options.files.manifest)
    const running = this.state && (await this.backend.readLatents())
    try {
      await this.backend.begin(latents, true)
      while (state.tick < 0) await this.advance(state, idle)
      return await this.backend.readLatents()
    } catch (error) {
      // It may be done again, on another device.
      state.tick = tick
      state.past.set(past)
      if (running && !(error instanceof DeviceLostError)) await this.backend.begin(running)
      throw error
    }
  }

  /** One tick in the backend and, only once that is done, in `state`. */
  private async advance(state: DreamState, now: Float32Array): Promise<Stages> {
    const { shape } = this.options.files
    const started = performance.now()
    tickNoise(state.seed, state.tick + 1, shape, this.noise)
    this.actions.set(now)
    this.actions.set(state.past, shape.actionDims)
    const noise = performance.now() - started
    const stages = await this.backend.step({
      actions: this.actions,
      prompt: state.embedding,
      noise: this.noise,
      hidden: state.tick + 1 < 0,
    })
    state.past.set(this.actions.subarray(0, state.past.length))
    state.tick++
    this.ticks++
    stages.noise = noise
    return stages
  }

  private async result(timings: Stages): Promise<Tick> {
    const started = performance.now()
    const tick = { index: this.state!.tick, epoch: this.epoch, timings }
    if (this.backend.screen) return { ...tick, frame: null }
    const frame = await this.backend.readFrame()
    const telemetry = await this.telemetry()
    timings.frame = performance.now() - started
    return { ...tick, frame, ...(telemetry ? { telemetry } : {}), ...judged(this.task, telemetry) }
  }

  private async telemetry(): Promise<Telemetry | undefined> {
    const { shape } = this.options.files
    return shape.telemetry && telemetryIn(await this.backend.readLatent(), shape)
  }

  /** Does `job`, and does it again on a new backend if the device goes away under it. */
  private async surviving<T>(job: () => Promise<T>): Promise<T> {
    for (;;) {
      if (this.lost) await this.recover()
      try {
        return await job()
      } catch (error) {
        if (!(error instanceof DeviceLostError)) throw error
        this.lost ??= error
      }
    }
  }

  private watch(backend: Backend): void {
    void backend.lost.then((error) => {
      if (this.backend === backend) this.lost ??= error
      // Also when paused: the picture should come back without a key being pressed.
      void this.queue
        .run(async () => {
          if (this.lost && !this.failed && !this.closing) await this.recover()
        })
        .catch(() => {})
    })
  }

  /** A new backend with the state of the last checkpoint, and the actions since played again: the same tick as before. */
  private async recover(): Promise<void> {
    const lost = this.lost!
    const { onEvent, reopen } = this.options
    this.deviceLosses++
    onEvent?.({ type: 'device-lost', message: lost.message })
    const before = this.backend
    try {
      await before.dispose().catch(() => {})
      // Losing one device after the other is a broken driver, not bad luck.
      if (!reopen || this.deviceLosses > MAX_LOSSES) throw lost
      this.backend = await reopen(lost)
      this.lost = null
      await this.recovery.replay(
        (latents) => this.backend.begin(latents),
        (state, action) => this.advance(state, action),
        this.state,
      )
    } catch (error) {
      if (error instanceof DeviceLostError && error !== lost && reopen) {
        this.lost = error
        return this.recover()
      }
      this.failed = error instanceof OneiroError ? error : lost
      onEvent?.({ type: 'failed', error: this.failed, message: this.failed.message })
      throw this.failed
    }
    this.watch(this.backend)
    if (this.backend.name !== before.name) {
      const message = `The dream is now computed by ${this.backend.name}.`
      onEvent?.({ type: 'backend', info: this.info, message })
    }
    const tick = this.state?.tick ?? 0
    onEvent?.({ type: 'recovered', tick, message: `Play goes on at tick ${tick}.` })
  }

  private checkpointWhenDue(state: DreamState): void {
    if (!this.recovery.isDue(state.tick)) return
    const then = { ...state, past: state.past.slice() }
    const epoch = this.epoch
    // Not awaited: on a GPU the copy is queued now and read whenever it is done, while play goes on.
    void this.backend.readLatents().then(
      (latents) => {
        if (epoch !== this.epoch) return
        this.recovery.checkpoint(then, latents)
        this.tellCheckpoint(then, latents)
      },
      () => {},
    )
  }

  private tellCheckpoint(state: DreamState, latents: Float32Array): void {
    this.options.onCheckpoint?.(toSnapshot(this.options.files, state, latents.slice()))
  }

  private call<T>(name: string, job: () => T | Promise<T>): Promise<T> {
    if (this.closing) return Promise.reject(new WorldClosedError(name))
    return this.queue.run(() => {
      if (this.failed) throw this.failed
      return job()
    })
  }

  private needReset(call: string): DreamState {
    if (!this.state) throw new NotReadyError(call)
    return this.state
  }
}

const MAX_LOSSES = 20
