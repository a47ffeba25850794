import * as ort from 'onnxruntime-node'
import { spaceOf } from '../src/engine/controls'
import { NO_CACHE } from '../src/model/assets/assets'
import { loadWorldFiles } from '../src/model/assets/world-files'
import { folderOnDisk, nodeSession } from '../src/model/node'
import { openWorld } from '../src/node'
import type { Timings } from './summary'

export interface BenchOptions {
  readonly world: string
  readonly threads: number
  readonly ticks: number
  readonly warmUp: number
  readonly onTick: (done: number) => void
}

/** Ticks of a world, each beside bare runs of the same graphs, session options and threads in this process. */
export async function benchNode(options: BenchOptions): Promise<Timings & { modelHash: string }> {
  const { world, threads, ticks, warmUp, onTick } = options
  const files = await loadWorldFiles({ source: folderOnDisk(world), cache: NO_CACHE })
  const student = await ort.InferenceSession.create(files.student, nodeSession(threads))
  const decoder = await ort.InferenceSession.create(files.decoder, nodeSession(threads))
  const { offsets, tokens, channels, actionCount, actionDims, promptDim, noiseCount } = files.shape
  const zeros = (...dims: number[]) =>
    new ort.Tensor('float32', new Float32Array(dims.reduce((a, b) => a * b)), dims)
  const feeds = {
    history: zeros(1, offsets.length, tokens, channels),
    actions: zeros(1, actionCount, actionDims),
    ...(promptDim > 0 ? { prompt: zeros(1, promptDim) } : {}),
    noise: zeros(1, noiseCount, tokens, channels),
  }

  const dream = await openWorld(world, { threads })
  await dream.reset({ seed: 1_000_000 })
  const space = spaceOf(dream.info.controls)
  const tickMs: number[] = []
  const bareMs: number[] = []
  const stages: Record<string, number[]> = {}
  for (let i = 0; i < warmUp + ticks; i++) {
    const bareStart = performance.now()
    const { latent } = await student.run(feeds)
    await decoder.run({ latent: latent! })
    const tickStart = performance.now()
    const { timings } = await dream.step(space.action((i * 5 + 3) % space.size))
    const end = performance.now()
    if (i < warmUp) continue
    bareMs.push(tickStart - bareStart)
    tickMs.push(end - tickStart)
    for (const [stage, ms] of Object.entries(timings)) {
      stages[stage] ??= []
      stages[stage].push(ms)
    }
    onTick(tickMs.length)
  }
  await dream.close()
  await student.release()
  await decoder.release()
  return { tickMs, bareMs, stages, modelHash: files.manifest.modelHash }
}
