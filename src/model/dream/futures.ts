import { type Action, spaceOf } from '../../engine/controls'
import { BadInputError, WorldClosedError } from '../../engine/errors'
import { shown } from '../../engine/fields'
import { judged } from '../../engine/task'
import { TaskQueue } from '../../engine/task-queue'
import type { Futures, Prompt, PromptReceipt, Snapshot, Tick } from '../../engine/world'
import type { WorldFiles } from '../assets/world-files'
import { pixelsOf } from '../backends/pixels'
import type { BatchedDream, DreamedTick } from './batched-dream'
import { taskIn } from './info'
import { telemetryIn } from './telemetry'

type Described = Pick<WorldFiles, 'manifest' | 'shape'>

const MOST = 64

/** Throws `BadInputError` unless so many futures may be had. */
export function checkCount(count: number): void {
  if (Number.isInteger(count) && count >= 1 && count <= MOST) return
  throw new BadInputError(`A world is forked into 1 to ${MOST} futures, but ${shown(count)} came.`)
}

/** The futures of a dream, on one batched student that is theirs alone. */
export class DreamFutures implements Futures {
  private readonly queue = new TaskQueue()
  private closing: Promise<void> | null = null

  private constructor(
    private readonly dream: BatchedDream,
    private readonly files: Described,
    readonly count: number,
  ) {}

  /** Continues `snapshot`. The dream is theirs from now on. */
  static async open(dream: BatchedDream, files: Described, snapshot: Snapshot, count: number) {
    const futures = new DreamFutures(dream, files, count)
    for (let i = 0; i < count; i++) await dream.restore(String(i), snapshot)
    return futures
  }

  step(actions: readonly Action[]): Promise<readonly Tick[]> {
    return this.call('step', async () => {
      if (!Array.isArray(actions) || actions.length !== this.count) {
        const came = Array.isArray(actions) ? `${actions.length} came` : `${shown(actions)} came`
        throw new BadInputError(`${this.count} futures take a list of as many actions, but ${came}.`)
      }
      const space = spaceOf(this.files.manifest.controls)
      for (const action of actions) space.check(action)
      const { ticks, studentMs } = await this.dream.step(
        actions.map((action, i) => ({ session: String(i), action })),
      )
      const dreamed = performance.now()
      const frames = await this.dream.decode(ticks.map(({ latent }) => latent))
      const timings = { student: studentMs, decoder: performance.now() - dreamed }
      return ticks.map((tick, i) => ({ ...this.tickOf(tick, frames, i), timings }))
    })
  }

  setPrompt(future: number, prompt: Prompt | string): Promise<PromptReceipt> {
    return this.call('setPrompt', () => this.dream.setPrompt(this.named(future), prompt))
  }

  snapshot(future: number): Promise<Snapshot> {
    return this.call('snapshot', async () => this.dream.snapshot(this.named(future)))
  }

  close(): Promise<void> {
    this.closing ??= this.queue.run(() => this.dream.close())
    return this.closing
  }

  private tickOf({ tick, epoch, latent }: DreamedTick, frames: Float32Array, i: number) {
    const { manifest, shape } = this.files
    const { width, height } = shape
    const size = width * height * 4
    const frame = pixelsOf(frames.subarray(i * size, (i + 1) * size), width, height)
    const telemetry = telemetryIn(latent, shape)
    return {
      ...{ index: tick, epoch, frame },
      ...(telemetry ? { telemetry } : {}),
      ...judged(taskIn(manifest), telemetry),
    }
  }

  private named(future: number): string {
    if (Number.isInteger(future) && future >= 0 && future < this.count) return String(future)
    throw new BadInputError(`Futures are numbered from 0 to ${this.count - 1}, but ${shown(future)} came.`)
  }

  private call<T>(name: string, job: () => Promise<T>): Promise<T> {
    if (this.closing) return Promise.reject(new WorldClosedError(name))
    return this.queue.run(job)
  }
}
