import type { InferenceSession, Tensor } from 'onnxruntime-common'
import { type Action, spaceOf } from '../../engine/controls'
import { BadInputError, NotReadyError } from '../../engine/errors'
import { TaskQueue } from '../../engine/task-queue'
import type { Prompt, PromptReceipt, ResetOptions, Snapshot } from '../../engine/world'
import type { WorldFiles } from '../assets/world-files'
import type { Ort } from '../backends/backend'
import { LatentRing } from '../backends/latent-ring'
import { floatsOf, openSession, runSession } from '../backends/sessions'
import { Prompts } from '../prompt/prompts'
import { encodeAction } from './actions'
import { tickNoise } from './self-test'
import { type Beginning, type DreamState, firstState, restoredState, toSnapshot } from './snapshot'

export interface BatchedDreamOptions {
  /** Whom errors name. */
  readonly name: string
  readonly ort: Ort
  readonly files: WorldFiles
  readonly session: InferenceSession.SessionOptions
  /** Sessions in one run at most; more of them make more runs. */
  readonly maxBatch: number
  /** Shared with whatever else runs on this ONNX Runtime. */
  readonly runs?: TaskQueue
  /** Embeds words that are neither preset nor caption. Left out, such words are refused. */
  readonly encodePrompt?: (text: string) => Promise<Float32Array>
}

/** One session's next tick. */
export interface TickJob {
  readonly session: string
  readonly action: Action
}

/** One session after a tick. */
export interface DreamedTick {
  readonly session: string
  /** Grows by one with every reset and restore of the session, from 1 on. */
  readonly epoch: number
  readonly tick: number
  /** [T,C], the receiver's own. */
  readonly latent: Float32Array
}

export interface DreamedBatch {
  readonly ticks: readonly DreamedTick[]
  /** Milliseconds in the student, all runs together. */
  readonly studentMs: number
}

/** Noise counts ticks in 32 bits, and those of the upper half stand for ticks before the first frame. */
const LAST_TICK = 2 ** 31

/** Another object after every reset and restore. */
interface Dream {
  readonly ring: LatentRing
  readonly epoch: number
  readonly state: DreamState
  /** It is in a forward pass, which has taken its words already. */
  running: boolean
}

/**
 * Many dreams on one student: all that are due are one forward pass. A dream here and a `DreamWorld` with the same seed,
 * prompts and actions are the same dream, so snapshots go either way.
 *
 * Calls that compute must not overlap.
 */
export class BatchedDream {
  private readonly dreams = new Map<string, Dream>()
  private readonly history: Float32Array
  private readonly actions: Float32Array
  private readonly prompt: Float32Array
  private readonly noise: Float32Array
  private readonly prompts: Prompts
  /** Forward passes share their inputs, so one is done before the next is filled. */
  private readonly passes = new TaskQueue()

  private constructor(
    private readonly options: BatchedDreamOptions,
    private readonly student: InferenceSession,
    private readonly decoder: InferenceSession,
    private readonly runs: TaskQueue,
  ) {
    const { shape } = options.files
    this.prompts = new Prompts(options.files, options.encodePrompt)
    this.history = new Float32Array(options.maxBatch * shape.offsets.length * shape.latentLength)
    this.actions = new Float32Array(options.maxBatch * shape.actionCount * shape.actionDims)
    this.prompt = new Float32Array(options.maxBatch * shape.promptDim)
    this.noise = new Float32Array(options.maxBatch * shape.noiseCount * shape.latentLength)
  }

  static async open(options: BatchedDreamOptions): Promise<BatchedDream> {
    const { ort, name, files, session, runs = new TaskQueue() } = options
    const host = { ort, name, runs }
    const student = await openSession(host, 'student', files.student, session)
    const decoder = await openSession(host, 'decoder', files.decoder, session)
    return new BatchedDream(options, student, decoder, runs)
  }

  /** Embeds words; undefined where nobody does. */
  get encodePrompt(): BatchedDreamOptions['encodePrompt'] {
    return this.options.encodePrompt
  }

  /** Sessions that are held. */
  get size(): number {
    return this.dreams.size
  }

  /** Begins a session anew, or for the first time. Throws as `World.reset` does, and then what there was is kept. */
  async reset(session: string, options: ResetOptions): Promise<DreamedTick> {
    const dream = this.prepared(await firstState(this.options.files, this.prompts, options))
    // Nobody sees it before its first frame. Between its passes others play on.
    const { idle } = spaceOf(this.options.files.manifest.controls)
    while (dream.state.tick < 0) await this.passes.run(() => this.pass([dream], [idle], () => true))
    return this.placed(session, dream)
  }

  /** Puts a snapshot of this world into a session. Throws as `World.restore` does, and then what there was is kept. */
  async restore(session: string, snapshot: Snapshot): Promise<DreamedTick> {
    const beginning = await restoredState(this.options.files, this.prompts, snapshot)
    const { tick } = beginning.state
    if (tick > LAST_TICK) {
      throw new BadInputError(
        `A drive is taken over up to tick ${LAST_TICK}, but this one is at ${tick}. Begin a new one.`,
      )
    }
    return this.placed(session, this.prepared(beginning))
  }

  /** Counts from the session's next tick on, or once the words have been read. One call of a session at a time. */
  async setPrompt(session: string, prompt: Prompt | string): Promise<PromptReceipt> {
    if (!this.dreams.has(session)) throw new NotReadyError('setPrompt')
    const resolved = await this.prompts.resolve(prompt)
    const dream = this.dreams.get(session)
    if (!dream) return { tick: null }
    Object.assign(dream.state, resolved)
    return { tick: dream.state.tick + (dream.running ? 2 : 1) }
  }

  snapshot(session: string): Snapshot {
    const dream = this.dreams.get(session)
    if (!dream) throw new NotReadyError('snapshot')
    return toSnapshot(this.options.files, dream.state, dream.ring.readAll())
  }

  /** Where a session is, without a tick. */
  show(session: string): DreamedTick {
    const dream = this.dreams.get(session)
    if (!dream) throw new NotReadyError('show')
    const { ring, epoch, state } = dream
    return { session, epoch, tick: state.tick, latent: ring.read(1) }
  }

  /** Forgets a session; one that is not held is harmless. */
  free(session: string): void {
    this.dreams.delete(session)
  }

  /**
   * One tick for every job, each of another session. Jobs of sessions that are not held are left out. If the student
   * fails, the error is thrown and the sessions of that run are as before.
   */
  async step(jobs: readonly TickJob[]): Promise<DreamedBatch> {
    const ticks: DreamedTick[] = []
    const started = performance.now()
    for (let i = 0; i < jobs.length; i += this.options.maxBatch) {
      const chunk = jobs.slice(i, i + this.options.maxBatch)
      ticks.push(...(await this.passes.run(() => this.run(chunk))))
    }
    return { ticks, studentMs: performance.now() - started }
  }

  /** Pictures [N,H,W,4] in 0..1 of latents [T,C], `maxBatch` of them at most. */
  async decode(latents: readonly Float32Array[]): Promise<Float32Array> {
    const { tokens, channels, latentLength, width, height } = this.options.files.shape
    const input = new Float32Array(latents.length * latentLength)
    for (const [i, latent] of latents.entries()) input.set(latent, i * latentLength)
    const out = await this.call(this.decoder, 'decoder', {
      latent: this.tensor(input, [latents.length, tokens, channels]),
    })
    return this.take(out, 'frame', latents.length * width * height * 4)
  }

  async close(): Promise<void> {
    this.dreams.clear()
    await this.runs.run(async () => {
      await this.student.release()
      await this.decoder.release()
    })
  }

  private async run(jobs: readonly TickJob[]): Promise<DreamedTick[]> {
    const held = jobs.filter(({ session }) => this.dreams.has(session))
    if (held.length === 0) return []
    const dreams = held.map(({ session }) => this.dreams.get(session)!)
    // A reset, restore or end that comes meanwhile overtakes the tick.
    const counts = (i: number) => this.dreams.get(held[i]!.session) === dreams[i]
    const actions = held.map(({ action }) => action)
    const latents = await this.pass(dreams, actions, counts)
    return dreams.flatMap(({ epoch, state }, i): DreamedTick[] => {
      const latent = latents[i]
      return latent ? [{ session: held[i]!.session, epoch, tick: state.tick, latent }] : []
    })
  }

  /** One forward pass: each dream that still counts when it is done goes on by a tick. Their latents [T,C], as they are kept. */
  private async pass(
    dreams: readonly Dream[],
    held: readonly Action[],
    counts: (i: number) => boolean,
  ): Promise<(Float32Array | null)[]> {
    const { shape } = this.options.files
    const { offsets, tokens, channels, latentLength, actionCount, actionDims, promptDim, noiseCount } = shape
    const count = dreams.length
    const rows = [
      offsets.length * latentLength,
      actionCount * actionDims,
      promptDim,
      noiseCount * latentLength,
    ]
    const [history, actions, prompt, noise] = [this.history, this.actions, this.prompt, this.noise].map(
      (all, which) => all.subarray(0, count * rows[which]!),
    ) as [Float32Array, Float32Array, Float32Array, Float32Array]
    for (const [i, { ring, state }] of dreams.entries()) {
      const row = (all: Float32Array) =>
        all.subarray((i * all.length) / count, ((i + 1) * all.length) / count)
      ring.gather(offsets, row(history))
      encodeAction(this.options.files.manifest, held[i]!, row(actions))
      row(actions).set(state.past, actionDims)
      row(prompt).set(state.embedding)
      tickNoise(state.seed, state.tick + 1, shape, row(noise))
    }
    for (const dream of dreams) dream.running = true
    try {
      const out = await this.call(this.student, 'student', {
        history: this.tensor(history, [count, offsets.length, tokens, channels]),
        actions: this.tensor(actions, [count, actionCount, actionDims]),
        ...(promptDim > 0 ? { prompt: this.tensor(prompt, [count, promptDim]) } : {}),
        noise: this.tensor(noise, [count, noiseCount, tokens, channels]),
      })
      const latents = this.take(out, 'latent', count * latentLength)
      return dreams.map(({ ring, state }, i) => {
        if (!counts(i)) return null
        const latent = latents.subarray(i * latentLength, (i + 1) * latentLength)
        ring.push(latent)
        ring.read(1, latent)
        state.past.set(actions.subarray(i * rows[1]!, i * rows[1]! + state.past.length))
        state.tick++
        return latent
      })
    } finally {
      for (const dream of dreams) dream.running = false
    }
  }

  private prepared({ state, latents }: Beginning): Dream {
    const ring = new LatentRing(this.options.files.shape)
    ring.fill(latents)
    return { ring, epoch: 0, state, running: false }
  }

  private placed(session: string, dream: Dream): DreamedTick {
    const epoch = (this.dreams.get(session)?.epoch ?? 0) + 1
    this.dreams.set(session, { ...dream, epoch })
    return this.show(session)
  }

  private tensor(data: Float32Array, dims: readonly number[]): Tensor {
    return new this.options.ort.Tensor('float32', data, dims)
  }

  private call(session: InferenceSession, which: string, feeds: Record<string, Tensor>) {
    return runSession({ name: this.options.name, runs: this.runs }, which, session, feeds)
  }

  /** A copy of an output; the tensor is freed. */
  private take(out: InferenceSession.ReturnType, name: string, length: number): Float32Array {
    const copy = floatsOf(out, name, length, this.options.name).slice()
    out[name]!.dispose()
    return copy
  }
}
