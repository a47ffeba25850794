import type { InferenceSession, Tensor, TypedTensor } from 'onnxruntime-common'
import type { AssetCache, AssetSource } from '../assets/assets'

/** The little of ONNX Runtime that the encoder needs; `onnxruntime-node` and `onnxruntime-web/wasm` both fit. */
export interface PromptOrt {
  readonly InferenceSession: {
    create(model: Uint8Array, options?: InferenceSession.SessionOptions): Promise<InferenceSession>
  }
  readonly Tensor: {
    new (type: 'int64', data: BigInt64Array, dims: readonly number[]): TypedTensor<'int64'> & Tensor
    new (type: 'float32', data: Float32Array, dims: readonly number[]): TypedTensor<'float32'> & Tensor
  }
}

/** Where a world's files are: its manifest names the prompt classifier that belongs to its student, if it has one. */
export interface WorldFolder {
  readonly source: AssetSource
  readonly cache: AssetCache
}

/** Bytes read so far, over all files of the encoder. */
export interface EncoderProgress {
  readonly loaded: number
  readonly total: number
}

/** Turns words into the vector that the student listens to. */
export interface PromptEncoder {
  /**
   * The conditioning of `text`, a fresh array each time: the prompt labels of its phrases (each group of choices sums
   * to 1), or where the world has no prompt classifier, the sentence embedding, 384 floats of unit norm. The first call
   * loads the model.
   *
   * Throws `BadInputError` where `text` has no words, and `PromptEncoderError` where the model cannot be loaded or
   * run, or after `dispose`. A failed load is tried again by the next call.
   */
  encode(text: string): Promise<Float32Array>
  /** Frees the model; calls under way are refused. Idempotent. */
  dispose(): Promise<void>
}
