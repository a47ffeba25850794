import { OneiroError } from '../../engine/errors'
import { lazily } from '../../engine/lazily'
import type { Ort } from './backend'
import { packedRuntime, type Runtime } from './packed-runtimes'

/** Addresses of ONNX Runtime's builds. */
export type RuntimeAddresses = Readonly<Partial<Record<'wasm' | 'webgpu' | 'jspi', string>>>

let told: RuntimeAddresses | null = null

/** In a worker: the addresses that the page told. */
export function useRuntimes(addresses: RuntimeAddresses): void {
  told = addresses
}

/**
 * The addresses that a page's import map has, to tell a worker: import maps do not reach into workers. Empty where a bundler
 * has put the builds in their place.
 */
export function runtimeAddresses(): RuntimeAddresses {
  if (told) return told
  if (typeof document === 'undefined') return {}
  const mapped: Partial<Record<keyof RuntimeAddresses, string>> = {}
  for (const build of ['wasm', 'webgpu', 'jspi'] as const) {
    try {
      mapped[build] = import.meta.resolve(`onnxruntime-web/${build}`)
    } catch {
      // It is not in the map.
    }
  }
  return mapped
}

/** ONNX Runtime on the processor, for this worker alone. */
export async function wasmOrt(threads: number): Promise<Ort> {
  // The GPU bundles hold this provider too, but as slower code that warms up for ten seconds. Imported dynamically: the
  // threads start from the file that it is bundled into, and must not run this worker again.
  const ort = await loaded(told?.wasm, () => import('onnxruntime-web/wasm'))
  ort.env.wasm.numThreads = threads
  await takePacked(ort, 'wasm')
  return ort as unknown as Ort
}

/** ONNX Runtime on WebGPU. */
export async function gpuOrt(): Promise<Ort> {
  const jspi = 'Suspending' in WebAssembly
  const ort = jspi
    ? await loaded(told?.jspi, () => import('onnxruntime-web/jspi'))
    : await loaded(told?.webgpu, () => import('onnxruntime-web/webgpu'))
  ort.env.wasm.numThreads = 1
  await takePacked(ort, jspi ? 'jspi' : 'asyncify')
  return ort as unknown as Ort
}

/** Gives ONNX Runtime the code that it would fetch by itself, in builds that hold it packed. */
async function takePacked(
  { env }: Pick<typeof import('onnxruntime-web/wasm'), 'env'>,
  runtime: Runtime,
): Promise<void> {
  env.wasm.wasmBinary ??= (await packedRuntime(runtime)) ?? undefined
}

async function loaded<Build>(address: string | undefined, load: () => Promise<Build>): Promise<Build> {
  try {
    return await lazily(address === undefined ? load : () => import(/* @vite-ignore */ address))
  } catch (cause) {
    // As Chromium, Firefox and Safari say that a name without an address is no address.
    if (!/specifier|Module name/.test(`${cause}`)) throw cause
    throw new OneiroError(
      'PACKAGE_MISSING',
      'The page has no ONNX Runtime. Install onnxruntime-web; without a bundler, name onnxruntime-web/wasm in the import map.',
      { cause },
    )
  }
}
