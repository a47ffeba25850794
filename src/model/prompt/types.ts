import type { InferenceSession, Tensor, TypedTensor } from 'onnxruntime-common'

/** The little of ONNX Runtime that the encoder needs; `onnxruntime-node` and `onnxruntime-web/wasm` both fit. */
export interface PromptOrt {
  readonly InferenceSession: {
    create(model: Uint8Array, options?: InferenceSession.SessionOptions): Promise<InferenceSession>
  }
  readonly Tensor: new (
    type: 'int64',
    data: BigInt64Array,
    dims: readonly number[],
  ) => TypedTensor<'int64'> & Tensor
}

/** Bytes read so far, over all files of the encoder. */
export interface EncoderProgress {
  readonly loaded: number
  readonly total: number
}

/** Turns words into the vector that the student listens to. */
export interface PromptEncoder {
  /**
   * The unit-norm sentence embedding of `text`, 384 floats, a fresh array each time. The first call loads the model.
   *
   * Throws `BadInputError` where `text` has no words, and `PromptEncoderError` where the model cannot be loaded or
   * run, or after `dispose`. A failed load is tried again by the next call.
   */
  encode(text: string): Promise<Float32Array>
  /** Frees the model; calls under way are refused. Twice is harmless. */
  dispose(): Promise<void>
}
