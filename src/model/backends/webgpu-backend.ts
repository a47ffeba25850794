import type { InferenceSession, Tensor } from 'onnxruntime-common'
import type { TaskQueue } from '../../engine/task-queue'
import type { Pixels } from '../../engine/world'
import type { WorldShape } from '../assets/manifest'
import type { WorldFiles } from '../assets/world-files'
import { BackendError, BackendReleasedError, DeviceLostError } from '../errors'
import type { Backend, BackendCounts, Fit, Ort, Screen, Stages, StepInput } from './backend'
import type { GpuDevice } from './gpu-device'
import { GpuFloat16 } from './gpu-float16'
import { GpuScreen } from './gpu-screen'
import { RingCursor } from './latent-ring'
import { pixelsOf } from './pixels'
import { openSession } from './sessions'

export interface WebGpuBackendOptions {
  readonly ort: Ort
  /** Owned by the backend from now on. */
  readonly gpu: GpuDevice
  readonly files: Pick<WorldFiles, 'shape' | 'student' | 'decoder'>
  /** Record a tick's GPU work once and replay it: a tenth of the CPU time. Verify with the self test. */
  readonly capture: boolean
  /** All runs and session creations of one ONNX Runtime go through one chain: two at once destroy the instance. */
  readonly runs: TaskQueue
}

const NAME = 'webgpu'
const FLOAT = 4

/** Opens a backend on a GPU device of our own. Throws `BackendError` where a graph cannot be captured and `capture` is on. */
export async function openWebGpuBackend(options: WebGpuBackendOptions): Promise<WebGpuBackend> {
  const { ort, gpu, files, capture, runs } = options
  const session: InferenceSession.SessionOptions = {
    // As an object: with the name alone, graph capture is silently off.
    executionProviders: [{ name: 'webgpu', device: gpu.device } as InferenceSession.ExecutionProviderConfig],
    enableGraphCapture: capture,
    preferredOutputLocation: 'gpu-buffer',
    freeDimensionOverrides: { batch: 1 },
  }
  const host = { ort, name: NAME, runs }
  const student = await openSession(host, 'student', files.student, session)
  const decoder = await openSession(host, 'decoder', files.decoder, session)
  return new WebGpuBackend(ort, gpu, files.shape, student, decoder, runs)
}

/**
 * Latents and frames stay on the GPU. A tick uploads the action, the noise and, where it changed, the prompt; copies the
 * history out of the ring; runs the student; copies its output into the decoder's input, at half precision where the state
 * is, and into the ring; runs the decoder; draws. At most two frames are in flight: a step waits until the one before last is done.
 */
export class WebGpuBackend implements Backend {
  readonly name = NAME
  readonly lost: Promise<DeviceLostError>
  readonly screen: Screen = {
    attach: (canvas) => this.attach(canvas),
    resize: (width, height, fit) => this.resize(width, height, fit),
  }

  private readonly device: GPUDevice
  private readonly cursor: RingCursor
  private readonly latentBytes: number
  private readonly buffers: Record<'ring' | 'history' | 'actions' | 'prompt' | 'noise' | 'latent', GPUBuffer>
  // Made once: a captured graph reads these very buffers for ever.
  private readonly feeds: { student: Record<string, Tensor>; decoder: Record<string, Tensor> }
  /** Null where the state is whole floats. */
  private readonly float16: GpuFloat16 | null
  private uploadedPrompt: Float32Array | null = null
  private frame: Tensor | null = null
  private display: GpuScreen | null = null
  private inFlight: Promise<void> = Promise.resolve()
  private gpuMs = 0
  private lostError: DeviceLostError | null = null
  private readonly waiting = new Set<(error: DeviceLostError) => void>()
  private released = false

  constructor(
    ort: Ort,
    private readonly gpu: GpuDevice,
    private readonly shape: WorldShape,
    private readonly student: InferenceSession,
    private readonly decoder: InferenceSession,
    private readonly runs: TaskQueue,
  ) {
    const { device } = gpu
    this.device = device
    this.cursor = new RingCursor(shape.ringLength)
    this.latentBytes = shape.latentLength * FLOAT
    const { tokens, channels } = shape
    const dims = {
      ring: [shape.ringLength, tokens, channels],
      history: [1, shape.offsets.length, tokens, channels],
      actions: [1, shape.actionCount, shape.actionDims],
      prompt: [1, shape.promptDim],
      noise: [1, shape.noiseCount, tokens, channels],
      latent: [1, tokens, channels],
    }
    const buffer = (name: keyof typeof dims) =>
      device.createBuffer({
        label: name,
        // ONNX Runtime binds whole multiples of 16 bytes, and no buffer may be empty.
        size: Math.max(1, Math.ceil((dims[name].reduce((a, b) => a * b) * FLOAT) / 16)) * 16,
        usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
      })
    this.buffers = {
      ring: buffer('ring'),
      history: buffer('history'),
      actions: buffer('actions'),
      prompt: buffer('prompt'),
      noise: buffer('noise'),
      latent: buffer('latent'),
    }
    this.float16 = shape.half ? new GpuFloat16(device, this.buffers.latent, shape.latentLength) : null
    const tensor = (name: keyof typeof dims) =>
      ort.Tensor.fromGpuBuffer(this.buffers[name], { dataType: 'float32', dims: dims[name] })
    this.feeds = {
      student: {
        history: tensor('history'),
        actions: tensor('actions'),
        ...(shape.promptDim > 0 ? { prompt: tensor('prompt') } : {}),
        noise: tensor('noise'),
      },
      decoder: { latent: tensor('latent') },
    }
    this.lost = device.lost.then(({ message, reason }) => {
      this.lostError = new DeviceLostError(message || reason)
      for (const reject of this.waiting) reject(this.lostError)
      this.waiting.clear()
      // A device that we destroyed is not lost, and nobody should hear of it.
      return this.released ? new Promise<never>(() => {}) : this.lostError
    })
  }

  async begin(latents: Float32Array, hidden = false): Promise<void> {
    this.check('begin')
    this.cursor.rewind()
    this.device.queue.writeBuffer(this.buffers.ring, 0, latents as Float32Array<ArrayBuffer>)
    this.copyNewest()
    if (!hidden) await this.decode()
  }

  async step(input: StepInput): Promise<Stages> {
    this.check('step')
    const started = performance.now()
    await this.guard(this.inFlight, 'waiting for a frame')
    const free = performance.now()
    this.upload(input)
    const latent = await this.run(this.student, this.feeds.student, 'latent')
    this.keep(latent.gpuBuffer)
    latent.dispose()
    const dreamed = performance.now()
    if (!input.hidden) await this.decode()
    const submitted = performance.now()
    const gpu = this.gpuMs
    this.inFlight = this.device.queue.onSubmittedWorkDone().then(() => {
      this.gpuMs = performance.now() - free
    })
    this.inFlight.catch(() => {})
    // `gpu` is the frame before: this one is still under way.
    return { wait: free - started, student: dreamed - free, decoder: submitted - dreamed, gpu }
  }

  async readLatent(): Promise<Float32Array> {
    this.check('readLatent')
    return this.read(this.buffers.latent, [[0, this.latentBytes]])
  }

  async readLatents(): Promise<Float32Array> {
    this.check('readLatents')
    const ages = Array.from({ length: this.shape.ringLength }, (_, i) => i + 1)
    const parts = ages.map((age): [number, number] => [this.slotStart(age), this.latentBytes])
    return this.read(this.buffers.ring, parts)
  }

  async readFrame(): Promise<Pixels> {
    this.check('readFrame')
    const { width, height } = this.shape
    const floats = await this.read(this.frame!.gpuBuffer as GPUBuffer, [[0, width * height * 4 * FLOAT]])
    return pixelsOf(floats, width, height)
  }

  counts(): BackendCounts {
    return { tensors: this.frame ? 1 : 0, gpuBuffers: this.gpu.liveBuffers() }
  }

  /** Loses the device as a driver reset would. For tests. */
  loseDevice(): void {
    this.device.destroy()
  }

  async dispose(): Promise<void> {
    if (this.released) return
    this.released = true
    this.display?.dispose()
    this.frame?.dispose()
    this.frame = null
    await this.runs.run(async () => {
      await this.student.release()
      await this.decoder.release()
    })
    for (const buffer of Object.values(this.buffers)) buffer.destroy()
    this.device.destroy()
  }

  private attach(canvas: OffscreenCanvas): void {
    this.display?.dispose()
    this.display = new GpuScreen(this.device, canvas, this.shape)
    this.draw()
  }

  private resize(width: number, height: number, fit: Fit): void {
    this.display?.resize(width, height, fit)
    this.draw()
  }

  private draw(): void {
    if (this.frame && !this.lostError) this.display?.draw(this.frame.gpuBuffer as GPUBuffer)
  }

  private upload({ actions, prompt, noise }: StepInput): void {
    const { queue } = this.device
    queue.writeBuffer(this.buffers.actions, 0, actions as Float32Array<ArrayBuffer>)
    queue.writeBuffer(this.buffers.noise, 0, noise as Float32Array<ArrayBuffer>)
    if (this.uploadedPrompt !== prompt) {
      queue.writeBuffer(this.buffers.prompt, 0, prompt as Float32Array<ArrayBuffer>)
      this.uploadedPrompt = prompt
    }
    const encoder = this.device.createCommandEncoder({ label: 'history' })
    this.shape.offsets.forEach((age, k) => {
      const to = k * this.latentBytes
      encoder.copyBufferToBuffer(
        this.buffers.ring,
        this.slotStart(age),
        this.buffers.history,
        to,
        this.latentBytes,
      )
    })
    queue.submit([encoder.finish()])
  }

  /** The student's output before the decoder, as the state holds it, and into the ring. ONNX Runtime has submitted its
   * work by now. */
  private keep(latent: GPUBuffer): void {
    const { ring, latent: newest } = this.buffers
    this.cursor.advance()
    const encoder = this.device.createCommandEncoder({ label: 'latent' })
    if (this.float16) this.float16.encode(encoder, latent)
    else encoder.copyBufferToBuffer(latent, 0, newest, 0, this.latentBytes)
    encoder.copyBufferToBuffer(newest, 0, ring, this.slotStart(1), this.latentBytes)
    this.device.queue.submit([encoder.finish()])
  }

  private copyNewest(): void {
    const encoder = this.device.createCommandEncoder({ label: 'latent' })
    encoder.copyBufferToBuffer(this.buffers.ring, this.slotStart(1), this.buffers.latent, 0, this.latentBytes)
    this.device.queue.submit([encoder.finish()])
  }

  private async decode(): Promise<void> {
    const frame = await this.run(this.decoder, this.feeds.decoder, 'frame')
    this.frame?.dispose()
    this.frame = frame
    this.draw()
  }

  private slotStart(age: number): number {
    return this.cursor.slot(age) * this.latentBytes
  }

  private async run(session: InferenceSession, feeds: Record<string, Tensor>, output: string) {
    // No pre-allocated outputs: with graph capture the second run would throw.
    const out = await this.runs.run(() => this.guard(session.run(feeds), `making the ${output}`))
    return out[output]! as Tensor & { gpuBuffer: GPUBuffer }
  }

  /** Copies ranges (start, length in bytes) of a buffer out, one after the other. The copy is queued at the call. */
  private async read(source: GPUBuffer, parts: [number, number][]): Promise<Float32Array> {
    const size = parts.reduce((sum, [, length]) => sum + length, 0)
    const staging = this.device.createBuffer({
      label: 'readback',
      size,
      usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ,
    })
    try {
      const encoder = this.device.createCommandEncoder({ label: 'readback' })
      let to = 0
      for (const [start, length] of parts) {
        encoder.copyBufferToBuffer(source, start, staging, to, length)
        to += length
      }
      this.device.queue.submit([encoder.finish()])
      await this.guard(staging.mapAsync(GPUMapMode.READ), 'reading back')
      return new Float32Array(staging.getMappedRange().slice(0))
    } finally {
      staging.destroy()
    }
  }

  /** The work's result, or `DeviceLostError` as soon as the device goes: some work of a lost device never settles. */
  private guard<T>(work: Promise<T>, doing: string): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.lostError) return reject(this.lostError)
      // Not a race with `lost`: every race would leave a listener on it, tick after tick.
      this.waiting.add(reject)
      const settle = (job: () => void) => {
        this.waiting.delete(reject)
        job()
      }
      const fail = (cause: unknown) => reject(this.lostError ?? new BackendError(NAME, doing, { cause }))
      work.then(
        (value) => settle(() => resolve(value)),
        // Work often fails a moment before the device says that it is lost.
        (cause) => setTimeout(() => settle(() => fail(cause)), 200),
      )
    })
  }

  private check(call: string): void {
    if (this.released) throw new BackendReleasedError(NAME, call)
    if (this.lostError) throw this.lostError
  }
}
