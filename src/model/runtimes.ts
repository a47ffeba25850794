import { lazily } from '../engine/lazily'
import type { Ort } from './backend'
import { packedRuntime, type Runtime } from './packed-runtimes'

/** ONNX Runtime on the processor, for this worker alone. */
export async function wasmOrt(threads: number): Promise<Ort> {
  // The GPU bundles hold this provider too, but as slower code that warms up for ten seconds. Imported dynamically: the
  // threads start from the file that it is bundled into, and must not run this worker again.
  const ort = await lazily(() => import('onnxruntime-web/wasm'))
  ort.env.wasm.numThreads = threads
  await takePacked(ort, 'wasm')
  return ort as unknown as Ort
}

/** ONNX Runtime on WebGPU. */
export async function gpuOrt(): Promise<Ort> {
  const jspi = 'Suspending' in WebAssembly
  const ort = jspi
    ? await lazily(() => import('onnxruntime-web/jspi'))
    : await lazily(() => import('onnxruntime-web/webgpu'))
  ort.env.wasm.numThreads = 1
  await takePacked(ort, jspi ? 'jspi' : 'asyncify')
  return ort as unknown as Ort
}

/** Gives ONNX Runtime the code that it would fetch by itself, in builds that hold it packed. */
export async function takePacked(
  { env }: Pick<typeof import('onnxruntime-web/wasm'), 'env'>,
  runtime: Runtime,
): Promise<void> {
  if (!import.meta.env?.VITE_PACKED_RUNTIMES) return
  env.wasm.wasmBinary ??= await packedRuntime(runtime)
}
