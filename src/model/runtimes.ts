import { lazily } from '../engine/lazily'
import type { Ort } from './backend'

/** ONNX Runtime on the processor, for this worker alone. */
export async function wasmOrt(threads: number): Promise<Ort> {
  // The GPU bundles hold this provider too, but as slower code that warms up for ten seconds. Imported dynamically: the
  // threads start from the file that it is bundled into, and must not run this worker again.
  const ort = await lazily(() => import('onnxruntime-web/wasm'))
  ort.env.wasm.numThreads = threads
  return ort as unknown as Ort
}

/** ONNX Runtime on WebGPU. */
export async function gpuOrt(): Promise<Ort> {
  const ort =
    'Suspending' in WebAssembly
      ? await lazily(() => import('onnxruntime-web/jspi'))
      : await lazily(() => import('onnxruntime-web/webgpu'))
  ort.env.wasm.numThreads = 1
  return ort as unknown as Ort
}
