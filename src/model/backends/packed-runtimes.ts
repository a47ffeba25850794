/** Builds of ONNX Runtime's code. */
export type Runtime = 'wasm' | 'jspi' | 'asyncify'

/**
 * The code of a build where it is kept packed; null where ONNX Runtime fetches it by itself. A build of the page takes
 * `page-runtimes.ts` in this module's place (vite.config.ts).
 */
export async function packedRuntime(_runtime: Runtime): Promise<Uint8Array | null> {
  return null
}
