import sharp from 'sharp'
import type { Action } from '../../src/engine/controls'
import { judged, type Task } from '../../src/engine/task'
import type { Prompt, PromptReceipt, ResetOptions, Snapshot, Tick } from '../../src/engine/world'
import type { WorldFiles } from '../../src/model/assets/world-files'
import { pixelsOf } from '../../src/model/backends/pixels'
import type { BatchedDream, DreamedTick } from '../../src/model/dream/batched-dream'
import { infoOf, taskIn } from '../../src/model/dream/info'
import { telemetryIn } from '../../src/model/dream/telemetry'
import { Prompts } from '../../src/model/prompt/prompts'
import { packLatent } from '../../src/net/protocol/latents'
import type { FrameFormat, Welcome } from '../../src/net/protocol/messages'
import { Words } from './words'

/** What is served, as a welcome tells it. */
export type Served = Pick<Welcome, 'world' | 'latent'>

/** One session's next tick, and how its picture travels: to each format once, to none where nobody will see it. */
export interface StepJob {
  readonly session: string
  readonly action: Action
  readonly formats: readonly FrameFormat[]
}

/** A session's newest picture, and what its world's task says of it. */
export interface Picture extends Pick<Tick, 'reward' | 'done'> {
  readonly session: string
  /** Grows by one with every reset and restore of the session, from 1 on. */
  readonly epoch: number
  readonly tick: number
  readonly format: FrameFormat
  readonly payload: Uint8Array
  /** Making the payload, milliseconds; for images, of the whole batch. */
  readonly encodeMs: number
}

export interface StepResult {
  /** Of every job whose session is still there, one for each of its formats. */
  readonly pictures: readonly Picture[]
  readonly studentMs: number
}

/** Words, and their conditioning. */
export type Embedded = Required<Prompt>

/** Computes the dreams of all sessions, wherever it runs. Steps must not overlap; every other call may come at any time. */
export interface Engine {
  readonly served: Served
  readonly maxBatch: number
  /** Resolves with the reason if the engine dies. */
  readonly lost: Promise<Error>
  reset(session: string, options: ResetOptions, format: FrameFormat): Promise<Picture>
  restore(session: string, snapshot: Snapshot, format: FrameFormat): Promise<Picture>
  setPrompt(session: string, prompt: Prompt | string): Promise<PromptReceipt>
  /** Encodes words for a session. Takes its turn, and may take long. */
  embed(session: string, text: string): Promise<Embedded>
  /** Words of this session that wait for their turn are refused with `WORDS_DROPPED`. */
  hush(session: string): Promise<void>
  snapshot(session: string): Promise<Snapshot>
  /** The picture of where a session is, without a tick, in each format. Throws `NotReadyError` where it is not held. */
  show(session: string, formats: readonly FrameFormat[]): Promise<readonly Picture[]>
  step(jobs: readonly StepJob[]): Promise<StepResult>
  free(session: string): Promise<void>
  close(): Promise<void>
}

/** WebP and JPEG quality, 0 to 100. At 160x96 a frame stays under 6 kB. */
const QUALITY = 80

/** The engine in this thread. */
export class DreamEngine implements Engine {
  readonly lost = new Promise<never>(() => {})
  readonly served: Served
  private readonly task: Task | null
  private readonly words: Words | null

  constructor(
    private readonly dream: BatchedDream,
    private readonly files: Pick<WorldFiles, 'manifest' | 'shape' | 'knownPrompts'>,
    readonly maxBatch: number,
    backend: string,
    private readonly onClose: () => Promise<void> = async () => {},
  ) {
    const { manifest, shape } = files
    this.task = taskIn(manifest)
    this.words = dream.encodePrompt ? new Words(dream.encodePrompt) : null
    const { kind, ...world } = infoOf(manifest, backend)
    this.served = {
      world,
      latent: { tokens: shape.tokens, channels: shape.channels },
    }
  }

  async reset(session: string, options: ResetOptions, format: FrameFormat): Promise<Picture> {
    return this.picture(await this.dream.reset(session, options), format)
  }

  async restore(session: string, snapshot: Snapshot, format: FrameFormat): Promise<Picture> {
    return this.picture(await this.dream.restore(session, snapshot), format)
  }

  setPrompt(session: string, prompt: Prompt | string): Promise<PromptReceipt> {
    return this.dream.setPrompt(session, prompt)
  }

  embed(session: string, text: string): Promise<Embedded> {
    const { words } = this
    const encode = words ? (text: string) => words.encode(session, text) : undefined
    return new Prompts(this.files, encode).resolve(text)
  }

  async hush(session: string): Promise<void> {
    this.words?.drop(session)
  }

  async snapshot(session: string): Promise<Snapshot> {
    return this.dream.snapshot(session)
  }

  async show(session: string, formats: readonly FrameFormat[]): Promise<readonly Picture[]> {
    const tick = this.dream.show(session)
    return this.pictures(formats.map((format) => ({ tick, format })))
  }

  async step(jobs: readonly StepJob[]): Promise<StepResult> {
    const { ticks, studentMs } = await this.dream.step(jobs)
    const formatsOf = new Map(jobs.map(({ session, formats }) => [session, formats]))
    const wanted = ticks.flatMap((tick) => formatsOf.get(tick.session)!.map((format) => ({ tick, format })))
    return { pictures: await this.pictures(wanted), studentMs }
  }

  async free(session: string): Promise<void> {
    this.words?.drop(session)
    this.dream.free(session)
  }

  async close(): Promise<void> {
    await this.dream.close()
    await this.onClose()
  }

  private async picture(tick: DreamedTick, format: FrameFormat): Promise<Picture> {
    return (await this.pictures([{ tick, format }]))[0]!
  }

  /** Latents are packed; images are decoded together, each once, and compressed side by side. */
  private async pictures(wanted: readonly Wanted[]): Promise<Picture[]> {
    const packed = wanted.filter(({ format }) => format === 'latents').map((one) => this.packed(one))
    const images: Picture[] = []
    const drawn = wanted.filter(({ format }) => format !== 'latents')
    const ticks = [...new Set(drawn.map(({ tick }) => tick))]
    for (let i = 0; i < ticks.length; i += this.maxBatch) {
      const together = ticks.slice(i, i + this.maxBatch)
      images.push(
        ...(await this.images(
          together,
          drawn.filter(({ tick }) => together.includes(tick)),
        )),
      )
    }
    return [...packed, ...images]
  }

  private head({ session, epoch, tick, latent }: DreamedTick) {
    const telemetry = this.task ? telemetryIn(latent, this.files.shape) : undefined
    return { session, epoch, tick, ...judged(this.task, telemetry) }
  }

  private packed({ tick, format }: Wanted): Picture {
    const started = performance.now()
    const payload = packLatent(tick.latent, this.files.shape)
    return { ...this.head(tick), format, payload, encodeMs: performance.now() - started }
  }

  private async images(ticks: readonly DreamedTick[], drawn: readonly Wanted[]): Promise<Picture[]> {
    const started = performance.now()
    const heads = drawn.map(({ tick }) => this.head(tick))
    const frames = await this.dream.decode(ticks.map(({ latent }) => latent))
    const { width, height } = this.files.shape
    const size = width * height * 4
    const payloads = await Promise.all(
      drawn.map(({ format, tick }) => {
        const at = ticks.indexOf(tick)
        const { data } = pixelsOf(frames.subarray(at * size, (at + 1) * size), width, height)
        const image = sharp(data, { raw: { width, height, channels: 4 } }).removeAlpha()
        const encoded =
          format === 'webp' ? image.webp({ quality: QUALITY, effort: 0 }) : image.jpeg({ quality: QUALITY })
        return encoded.toBuffer()
      }),
    )
    const encodeMs = performance.now() - started
    // Copies of their own: a Buffer may share its memory with others, which cannot move to another thread.
    return drawn.map(({ format }, i) => ({
      ...heads[i]!,
      format,
      payload: Uint8Array.from(payloads[i]!),
      encodeMs,
    }))
  }
}

interface Wanted {
  readonly tick: DreamedTick
  readonly format: FrameFormat
}
