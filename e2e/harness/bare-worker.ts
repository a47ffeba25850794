/// <reference lib="webworker" />
/** The two ONNX sessions of a tick and nothing else: what the dream's overhead is measured against. */
import { parseManifest, worldShape } from '../../src/model/assets/manifest'

const scope = self as unknown as DedicatedWorkerGlobalScope
let run: (() => Promise<number>) | null = null

async function open(url: string, threads: number): Promise<void> {
  // Not a static import: ONNX Runtime starts its threads from the file that it was bundled into, and so this one would
  // run again in each of them.
  const ort = await import('onnxruntime-web/wasm')
  ort.env.wasm.numThreads = threads
  const read = async (path: string) =>
    new Uint8Array(await (await fetch(new URL(path, url).href)).arrayBuffer())
  const manifest = parseManifest(new TextDecoder().decode(await read('world.json')))
  const options = { executionProviders: ['wasm'] }
  const student = await ort.InferenceSession.create(await read(manifest.files.student.path), options)
  const decoder = await ort.InferenceSession.create(await read(manifest.files.decoder.path), options)
  const { offsets, tokens, channels, actionCount, actionDims, promptDim, noiseCount } = worldShape(manifest)
  const zeros = (...dims: number[]) =>
    new ort.Tensor('float32', new Float32Array(dims.reduce((a, b) => a * b)), dims)
  const feeds = {
    history: zeros(1, offsets.length, tokens, channels),
    actions: zeros(1, actionCount, actionDims),
    prompt: zeros(1, promptDim),
    noise: zeros(1, noiseCount, tokens, channels),
  }
  run = async () => {
    const started = performance.now()
    const { latent } = await student.run(feeds)
    await decoder.run({ latent: latent! })
    return performance.now() - started
  }
}

scope.onmessage = async ({ data }: MessageEvent<{ url: string; threads: number } | 'run'>) => {
  if (data !== 'run') await open(data.url, data.threads)
  scope.postMessage(await run!())
}
