import type { InferenceSession, Tensor } from 'onnxruntime-common'
import { TaskQueue } from '../../engine/task-queue'
import type { Pixels } from '../../engine/world'
import type { WorldShape } from '../assets/manifest'
import type { WorldFiles } from '../assets/world-files'
import { BackendReleasedError } from '../errors'
import type { Backend, BackendCounts, Ort, Stages, StepInput } from './backend'
import { LatentRing } from './latent-ring'
import { pixelsOf } from './pixels'
import { floatsOf, openSession, runSession } from './sessions'

export interface CpuBackendOptions {
  readonly ort: Ort
  /** `wasm`, `node-cpu`, ... */
  readonly name: string
  readonly files: Pick<WorldFiles, 'shape' | 'student' | 'decoder'>
  readonly session: InferenceSession.SessionOptions
  /** Shared with whatever else runs on this ONNX Runtime; see `SessionHost`. */
  readonly runs?: TaskQueue
}

/** Opens a backend on the processor: the same code for ONNX Runtime in WASM and in Node. */
export async function openCpuBackend(options: CpuBackendOptions): Promise<CpuBackend> {
  const { ort, name, files, session, runs = new TaskQueue() } = options
  const host = { ort, name, runs }
  const student = await openSession(host, 'student', files.student, session)
  const decoder = await openSession(host, 'decoder', files.decoder, session)
  return new CpuBackend(ort, name, files.shape, student, decoder, runs)
}

/** Latents in memory; every frame is pixels. */
export class CpuBackend implements Backend {
  readonly screen = null
  readonly lost = new Promise<never>(() => {})

  private readonly ring: LatentRing
  private readonly history: Float32Array
  private readonly newest: Float32Array
  private frame: Tensor | null = null
  private released = false

  constructor(
    private readonly ort: Ort,
    readonly name: string,
    private readonly shape: WorldShape,
    private readonly student: InferenceSession,
    private readonly decoder: InferenceSession,
    readonly runs: TaskQueue,
  ) {
    this.ring = new LatentRing(shape)
    this.history = new Float32Array(shape.offsets.length * shape.latentLength)
    this.newest = new Float32Array(shape.latentLength)
  }

  async begin(latents: Float32Array, hidden = false): Promise<void> {
    this.check('begin')
    this.ring.fill(latents)
    if (!hidden) await this.decode()
  }

  async step(input: StepInput): Promise<Stages> {
    this.check('step')
    const { shape } = this
    const started = performance.now()
    this.ring.gather(shape.offsets, this.history)
    const out = await runSession(this, 'student', this.student, {
      history: this.tensor(this.history, [1, shape.offsets.length, shape.tokens, shape.channels]),
      actions: this.tensor(input.actions, [1, shape.actionCount, shape.actionDims]),
      ...(shape.promptDim > 0 ? { prompt: this.tensor(input.prompt, [1, shape.promptDim]) } : {}),
      noise: this.tensor(input.noise, [1, shape.noiseCount, shape.tokens, shape.channels]),
    })
    this.ring.push(floatsOf(out, 'latent', shape.latentLength, this.name))
    out.latent!.dispose()
    const dreamed = performance.now()
    if (!input.hidden) await this.decode()
    return { student: dreamed - started, decoder: performance.now() - dreamed }
  }

  async readLatent(): Promise<Float32Array> {
    this.check('readLatent')
    return this.ring.read(1)
  }

  async readLatents(): Promise<Float32Array> {
    this.check('readLatents')
    return this.ring.readAll()
  }

  async readFrame(): Promise<Pixels> {
    this.check('readFrame')
    return pixelsOf(this.frame!.data as Float32Array, this.shape.width, this.shape.height)
  }

  counts(): BackendCounts {
    return { tensors: this.frame ? 1 : 0, gpuBuffers: 0 }
  }

  async dispose(): Promise<void> {
    if (this.released) return
    this.released = true
    this.frame?.dispose()
    this.frame = null
    await this.runs.run(async () => {
      await this.student.release()
      await this.decoder.release()
    })
  }

  private async decode(): Promise<void> {
    const { tokens, channels } = this.shape
    const out = await runSession(this, 'decoder', this.decoder, {
      latent: this.tensor(this.ring.read(1, this.newest), [1, tokens, channels]),
    })
    floatsOf(out, 'frame', this.shape.width * this.shape.height * 4, this.name)
    this.frame?.dispose()
    this.frame = out.frame!
  }

  private tensor(data: Float32Array, dims: readonly number[]): Tensor {
    return new this.ort.Tensor('float32', data, dims)
  }

  private check(call: string): void {
    if (this.released) throw new BackendReleasedError(this.name, call)
  }
}
