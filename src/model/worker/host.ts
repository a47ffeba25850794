import { OneiroError } from '../../engine/errors'
import { TaskQueue } from '../../engine/task-queue'
import { fetchedFolder } from '../assets/assets'
import { browserCache } from '../assets/browser-cache'
import { loadWorldFiles, type WorldFiles } from '../assets/world-files'
import type { Backend, Fit } from '../backends/backend'
import { openCpuBackend } from '../backends/cpu-backend'
import { type GpuDevice, openGpuDevice } from '../backends/gpu-device'
import { gpuOrt, wasmOrt } from '../backends/runtimes'
import { openWebGpuBackend, type WebGpuBackend } from '../backends/webgpu-backend'
import { DreamWorld } from '../dream/dream-world'
import { selfTest, timeTicks } from '../dream/self-test'
import { BackendError, type DeviceLostError, WebGpuUnavailableError } from '../errors'
import { noticeOf } from '../notices'
import { openPromptEncoder } from '../prompt/client'
import type { HostMessage, OpenOptions } from './protocol'

type Tell = (message: HostMessage) => void

/** The canvas that the page gave, kept over devices. */
interface Display {
  canvas: OffscreenCanvas
  width: number
  height: number
  fit: Fit
}

/** What runs in the dream's worker: a `DreamWorld` on the best backend to be had, and the canvas it draws on. */
export class Host {
  display: Display | null = null
  readonly world: DreamWorld

  private constructor(
    readonly files: Pick<WorldFiles, 'manifest' | 'shape' | 'starts' | 'beginnings' | 'knownPrompts'>,
    private backend: Backend,
    /** Median milliseconds of a tick just after load; 0 on WebGPU, where nobody chooses by it. */
    readonly tickMs: number,
    private readonly opener: Opener,
    tell: Tell,
  ) {
    const encoder = openPromptEncoder({
      url: opener.options.promptEncoderUrl,
      world: opener.options.url,
      onProgress: (progress) => tell({ kind: 'prompt-progress', progress }),
      onNotice: (notice) => tell({ kind: 'event', event: { type: 'notice', ...notice } }),
    })
    this.world = new DreamWorld({
      files,
      backend,
      encodePrompt: (text) => whileAlive(tell, encoder.encode(text)),
      reopen: (lost) => whileAlive(tell, this.reopen(lost)),
      onEvent: (event) => tell({ kind: 'event', event }),
      onCheckpoint: (snapshot) => tell({ kind: 'checkpoint', snapshot }),
      onClose: () => encoder.dispose(),
    })
  }

  /** Loads a world and opens it. Progress and notices go to `tell`. */
  static async open(options: OpenOptions, tell: Tell): Promise<Host> {
    const opener = new Opener(options, tell)
    const { backend, files, tickMs } = await opener.openFirst()
    const { student, decoder, ...described } = files
    return new Host(described, backend, tickMs, opener, tell)
  }

  /** Takes the canvas; null frames of `world` are drawn on it from now on. */
  attach(canvas: OffscreenCanvas, width: number, height: number, fit: Fit): boolean {
    if (!this.backend.screen) return false
    this.display = { canvas, width, height, fit }
    this.show()
    return true
  }

  resize(width: number, height: number, fit: Fit): void {
    if (!this.display) return
    Object.assign(this.display, { width, height, fit })
    this.backend.screen?.resize(width, height, fit)
  }

  get slowGpu(): boolean {
    return this.opener.slowGpu
  }

  /** False where there is no device to lose. */
  loseDevice(): boolean {
    const { backend } = this
    if (!('loseDevice' in backend)) return false
    ;(backend as WebGpuBackend).loseDevice()
    return true
  }

  private async reopen(lost: DeviceLostError): Promise<Backend> {
    this.backend = await this.opener.reopen(lost)
    this.show()
    return this.backend
  }

  private show(): void {
    const { screen } = this.backend
    if (!screen || !this.display) return
    const { canvas, width, height, fit } = this.display
    screen.attach(canvas)
    screen.resize(width, height, fit)
  }
}

/** Chooses and opens backends. Keeps the graphs' bytes on WebGPU, for the device after a lost one. */
class Opener {
  /** The GPU that was opened last is a software one. */
  slowGpu = false
  private files: WorldFiles | null = null
  private readonly runs = new TaskQueue()

  constructor(
    readonly options: OpenOptions,
    private readonly tell: Tell,
  ) {}

  async openFirst(): Promise<{ backend: Backend; files: WorldFiles; tickMs: number }> {
    const { options } = this
    const onNotice = (notice: ReturnType<typeof noticeOf>) => this.notice(notice)
    // The graphs and the code that runs them are fetched side by side.
    const [files, gpu] = await Promise.all([
      loadWorldFiles({
        source: fetchedFolder(options.url),
        cache: browserCache(options.url, onNotice),
        onProgress: (progress) => this.tell({ kind: 'progress', progress }),
        onNotice,
      }),
      this.prepare(),
    ])
    if (gpu) {
      this.files = files
      try {
        return { backend: await this.openGpu(files, gpu), files, tickMs: 0 }
      } catch (error) {
        if (options.backend === 'webgpu') throw error
        this.notice(noticeOf('WEBGPU_FAILED', reasonOf(error)))
        this.files = null
      }
    }
    const backend = await this.openWasm(files)
    this.progress('calibrate')
    return { backend, files, tickMs: await timeTicks(backend, files, 5) }
  }

  /** Another device after a lost one; the processor where there is none. */
  async reopen(lost: DeviceLostError): Promise<Backend> {
    const { files } = this
    if (!files) throw lost
    try {
      return await this.openGpu(files)
    } catch (error) {
      this.notice(noticeOf('WEBGPU_FAILED', reasonOf(error)))
      return this.openWasm(files)
    }
  }

  /** Starts the import of the runtime that will be used; a device where that is the GPU's, else null. */
  private async prepare(): Promise<GpuDevice | null> {
    const { backend, threads } = this.options
    if (backend !== 'wasm') {
      try {
        const [gpu] = await Promise.all([this.openDevice(), gpuOrt()])
        return gpu
      } catch (error) {
        if (backend === 'webgpu') throw named(error)
        const isMissing = error instanceof WebGpuUnavailableError
        this.notice(isMissing ? noticeOf('NO_WEBGPU') : noticeOf('WEBGPU_FAILED', reasonOf(error)))
      }
    }
    await wasmOrt(threads)
    return null
  }

  private async openGpu(files: WorldFiles, device?: GpuDevice): Promise<Backend> {
    const ort = await gpuOrt()
    let ready = device
    let failure: unknown
    for (const capture of [true, false]) {
      this.progress('compile')
      const gpu = ready ?? (await this.openDevice())
      ready = undefined
      try {
        const backend = await openWebGpuBackend({ ort, gpu, files, capture, runs: this.runs })
        await this.tested(backend, files)
        if (!capture) this.notice(noticeOf('UNCAPTURED', String(failure)))
        return backend
      } catch (error) {
        failure = error
        gpu.device.destroy()
      }
    }
    throw failure
  }

  private async openDevice(): Promise<GpuDevice> {
    const gpu = await openGpuDevice(this.options.backend === 'webgpu')
    this.slowGpu = gpu.isFallback
    return gpu
  }

  private async openWasm(files: WorldFiles): Promise<Backend> {
    const ort = await wasmOrt(this.options.threads)
    this.progress('compile')
    const backend = await openCpuBackend({
      ort,
      name: 'wasm',
      files,
      session: { executionProviders: ['wasm'] },
      // A runtime of its own, so a chain of its own.
      runs: new TaskQueue(),
    })
    return this.tested(backend, files)
  }

  private async tested<B extends Backend>(backend: B, files: WorldFiles): Promise<B> {
    this.progress('self-test')
    try {
      await selfTest(backend, files)
      return backend
    } catch (error) {
      await backend.dispose().catch(() => {})
      throw error
    }
  }

  private progress(phase: 'compile' | 'self-test' | 'calibrate'): void {
    this.tell({ kind: 'progress', progress: { phase, loaded: 0, total: 1 } })
  }

  private notice(notice: ReturnType<typeof noticeOf>): void {
    this.tell({ kind: 'event', event: { type: 'notice', ...notice } })
  }
}

/** Of what breaks before there is a backend, too, a person must be told that the processor may do. */
function named(error: unknown): OneiroError {
  return error instanceof OneiroError ? error : new BackendError('webgpu', 'opening', { cause: error })
}

function reasonOf(error: unknown): string | undefined {
  return error instanceof Error ? error.message : undefined
}

/** Tells every second that the worker is well, as a model that loads has nothing else to say for a while. */
export async function whileAlive<T>(tell: Tell, work: Promise<T>): Promise<T> {
  const timer = setInterval(() => tell({ kind: 'alive' }), 1000)
  try {
    return await work
  } finally {
    clearInterval(timer)
  }
}
