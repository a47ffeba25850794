import type { InferenceSession, Tensor, TensorConstructor } from 'onnxruntime-common'
import type { Pixels } from '../../engine/world'
import type { DeviceLostError } from '../errors'

/** What one tick of the student is computed from; the latents are the backend's own. */
export interface StepInput {
  /** [A,D]: the action applied now first. May be reused after the call, as the noise may. */
  readonly actions: Float32Array
  /** [P], unit norm. Never changed in place: another prompt is another array. */
  readonly prompt: Float32Array
  /** [1+M,T,C]: x1, then y1 of each outer step. */
  readonly noise: Float32Array
  /** Nobody sees its frame, so none is made. */
  readonly hidden?: boolean
}

/** Milliseconds by stage. */
export type Stages = Record<string, number>

/**
 * Computes ticks. It owns the ring of past latents, the sessions and every buffer; callers own what they pass in and
 * what they read out.
 *
 * Calls must not overlap, with one exception: `readLatents` takes its state at the moment of the call, and steps may
 * follow before it resolves. After `dispose` every call throws `BackendReleasedError`.
 */
export interface Backend {
  /** `node-cpu`, `wasm` or `webgpu`. */
  readonly name: string
  /** Where frames are presented without a readback; null where every frame is pixels in memory. */
  readonly screen: Screen | null
  /** Resolves if the device goes away; the backend is then only good for `dispose`. */
  readonly lost: Promise<DeviceLostError>
  /** Takes the state `latents` [R,T,C], newest first, and makes the frame of the newest unless nobody is to see it. */
  begin(latents: Float32Array, hidden?: boolean): Promise<void>
  /** One tick: the next latent enters the ring and its frame is made (and presented, where there is a screen). */
  step(input: StepInput): Promise<Stages>
  /** The newest latent, [T,C]. */
  readLatent(): Promise<Float32Array>
  /** The whole state, [R,T,C], newest first: what `begin` takes. */
  readLatents(): Promise<Float32Array>
  /** The newest frame. */
  readFrame(): Promise<Pixels>
  /** What is held now. Must not grow with ticks. */
  counts(): BackendCounts
  dispose(): Promise<void>
}

export interface BackendCounts {
  /** Tensors of ONNX Runtime that hold memory until they are released. */
  readonly tensors: number
  readonly gpuBuffers: number
}

/** How a frame meets a canvas of another shape. `cover` fills it and crops, `contain` shows all, `stretch` distorts. */
export type Fit = 'cover' | 'contain' | 'stretch'

/** A canvas that a GPU backend draws on. */
export interface Screen {
  attach(canvas: OffscreenCanvas): void
  /** Size in device pixels; draws the newest frame again. */
  resize(width: number, height: number, fit: Fit): void
}

/** The part of ONNX Runtime that backends use; `onnxruntime-node` and every bundle of `onnxruntime-web` fit. */
export interface Ort {
  readonly InferenceSession: {
    create(model: Uint8Array, options?: InferenceSession.SessionOptions): Promise<InferenceSession>
  }
  readonly Tensor: TensorConstructor & typeof Tensor
}
