import type { InferenceSession } from 'onnxruntime-common'
import { TaskQueue } from '../../engine/task-queue'
import type { Pixels } from '../../engine/world'
import { type AssetCache, type AssetSource, loadFile } from '../assets/assets'
import { type Manifest, type WorldShape, worldShape } from '../assets/manifest'
import { loadManifest } from '../assets/world-files'
import type { Ort } from '../backends/backend'
import { pixelsOf } from '../backends/pixels'
import { floatsOf, openSession, runSession } from '../backends/sessions'
import { BackendReleasedError } from '../errors'
import type { TellNotice } from '../notices'

export interface LatentDecoderOptions {
  readonly ort: Ort
  /** The world's folder. Only its manifest and its decoder are read. */
  readonly source: AssetSource
  readonly cache: AssetCache
  readonly session: InferenceSession.SessionOptions
  readonly onNotice?: TellNotice
  /** All runs of one ONNX Runtime go through one chain; left out, the decoder has a chain of its own. */
  readonly runs?: TaskQueue
}

const NAME = 'decoder'

/** The decoder graph alone: what a client needs of a world that another machine dreams. */
export class LatentDecoder {
  private released = false

  private constructor(
    /** Of the world whose latents it decodes. */
    readonly manifest: Manifest,
    readonly shape: WorldShape,
    private readonly ort: Ort,
    private readonly session: InferenceSession,
    private readonly runs: TaskQueue,
  ) {}

  get modelHash(): string {
    return this.manifest.modelHash
  }

  /** Loads and opens it. Throws the named errors of `errors.ts`. */
  static async open(options: LatentDecoderOptions): Promise<LatentDecoder> {
    const { ort, source, cache, onNotice = () => {}, runs = new TaskQueue() } = options
    const manifest = await loadManifest(source, cache, onNotice)
    const model = await loadFile(manifest.files.decoder, { source, cache, onNotice })
    const session = await openSession({ ort, name: NAME, runs }, 'decoder', model, options.session)
    return new LatentDecoder(manifest, worldShape(manifest), ort, session, runs)
  }

  /** The picture of a latent [T,C]. Throws `BackendError`, and `BackendReleasedError` after `dispose`. */
  async decode(latent: Float32Array): Promise<Pixels> {
    if (this.released) throw new BackendReleasedError(NAME, 'decode')
    const { tokens, channels, width, height } = this.shape
    const input = new this.ort.Tensor('float32', latent, [1, tokens, channels])
    const out = await runSession({ name: NAME, runs: this.runs }, 'decoder', this.session, { latent: input })
    const pixels = pixelsOf(floatsOf(out, 'frame', width * height * 4, NAME), width, height)
    out.frame!.dispose()
    return pixels
  }

  /** Frees the session; idempotent. */
  async dispose(): Promise<void> {
    if (this.released) return
    this.released = true
    await this.runs.run(() => this.session.release())
  }
}
