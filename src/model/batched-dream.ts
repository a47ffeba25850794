import type { InferenceSession, Tensor } from 'onnxruntime-common'
import { type Action, spaceOf } from '../engine/controls'
import { BadInputError, NotReadyError } from '../engine/errors'
import { Serial } from '../engine/serial'
import type { Prompt, PromptReceipt, ResetOptions, Snapshot } from '../engine/world'
import { encodeAction } from './actions'
import type { Ort } from './backend'
import { LatentRing } from './latent-ring'
import { Prompts } from './prompts'
import { tickNoise } from './self-test'
import { floatsOf, openSession, runSession } from './sessions'
import { type Beginning, type DreamState, firstState, restoredState, toSnapshot } from './snapshot'
import type { WorldFiles } from './world-files'

export interface BatchedDreamOptions {
  /** Whom errors name. */
  readonly name: string
  readonly ort: Ort
  readonly files: WorldFiles
  readonly session: InferenceSession.SessionOptions
  /** Sessions in one run at most; more of them make more runs. */
  readonly maxBatch: number
  /** Shared with whatever else runs on this ONNX Runtime. */
  readonly runs?: Serial
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

/** Noise counts ticks in 32 bits. A session that could get there would fail everybody in its run. */
const LAST_TICK = 2 ** 31

/** Another object after every reset and restore. */
interface Dream {
  readonly ring: LatentRing
  readonly epoch: number
  readonly state: DreamState
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

  private constructor(
    private readonly options: BatchedDreamOptions,
    private readonly student: InferenceSession,
    private readonly decoder: InferenceSession,
    private readonly runs: Serial,
  ) {
    const { shape } = options.files
    this.prompts = new Prompts(options.files, options.encodePrompt)
    this.history = new Float32Array(options.maxBatch * shape.offsets.length * shape.latentLength)
    this.actions = new Float32Array(options.maxBatch * shape.actionCount * shape.actionDims)
    this.prompt = new Float32Array(options.maxBatch * shape.promptDim)
    this.noise = new Float32Array(options.maxBatch * shape.noiseCount * shape.latentLength)
  }

  static async open(options: BatchedDreamOptions): Promise<BatchedDream> {
    const { ort, name, files, session, runs = new Serial() } = options
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
    const dream = this.place(session, await firstState(this.options.files, this.prompts, options))
    // Alone: a batch would hold back who plays until all of these ticks are there.
    const { manifest } = this.options.files
    const job = { session, action: spaceOf(manifest.controls).idle }
    while (dream.state.tick < 0 && this.dreams.get(session) === dream) await this.run([job])
    return this.show(session)
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
    this.place(session, beginning)
    return this.show(session)
  }

  /** Counts from the session's next tick on, or once the words have been read. One call of a session at a time. */
  async setPrompt(session: string, prompt: Prompt | string): Promise<PromptReceipt> {
    if (!this.dreams.has(session)) throw new NotReadyError('setPrompt')
    const resolved = await this.prompts.resolve(prompt)
    const dream = this.dreams.get(session)
    if (!dream) return { tick: null }
    Object.assign(dream.state, resolved)
    return { tick: dream.state.tick + 1 }
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
      const held = chunk.filter(({ session }) => this.dreams.has(session))
      if (held.length > 0) ticks.push(...(await this.run(held)))
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
    const { shape } = this.options.files
    const { offsets, tokens, channels, latentLength, actionCount, actionDims, promptDim, noiseCount } = shape
    const count = jobs.length
    const dreams = jobs.map(({ session }) => this.dreams.get(session)!)
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
      encodeAction(this.options.files.manifest, jobs[i]!.action, row(actions))
      row(actions).set(state.past, actionDims)
      row(prompt).set(state.embedding)
      tickNoise(state.seed, state.tick + 1, shape, row(noise))
    }
    const out = await this.call(this.student, 'student', {
      history: this.tensor(history, [count, offsets.length, tokens, channels]),
      actions: this.tensor(actions, [count, actionCount, actionDims]),
      ...(promptDim > 0 ? { prompt: this.tensor(prompt, [count, promptDim]) } : {}),
      noise: this.tensor(noise, [count, noiseCount, tokens, channels]),
    })
    const latents = this.take(out, 'latent', count * latentLength)
    return dreams.flatMap((dream, i): DreamedTick[] => {
      const { session } = jobs[i]!
      // A reset, restore or end that came while this ran has overtaken the tick.
      if (this.dreams.get(session) !== dream) return []
      const { ring, epoch, state } = dream
      const latent = latents.subarray(i * latentLength, (i + 1) * latentLength)
      ring.push(latent)
      ring.read(1, latent) // as it is kept
      state.past.set(actions.subarray(i * rows[1]!, i * rows[1]! + state.past.length))
      state.tick++
      return [{ session, epoch, tick: state.tick, latent }]
    })
  }

  private place(session: string, { state, latents }: Beginning): Dream {
    const before = this.dreams.get(session)
    const ring = before?.ring ?? new LatentRing(this.options.files.shape)
    const epoch = (before?.epoch ?? 0) + 1
    ring.fill(latents)
    const dream = { ring, epoch, state }
    this.dreams.set(session, dream)
    return dream
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
