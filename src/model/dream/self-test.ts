import { fromBase64 } from '../../engine/base64'
import { normals } from '../../engine/random'
import type { Pixels } from '../../engine/world'
import { type Manifest, promptKey, type WorldShape } from '../assets/manifest'
import type { WorldFiles } from '../assets/world-files'
import type { Backend, StepInput } from '../backends/backend'
import { SelfTestError } from '../errors'
import { NO_WORDS } from '../prompt/resolved'
import { idleAction } from './actions'

/**
 * Fills the noise of the step that makes `tick`, which before the first frame is below 0: one stream of the seed for every noise latent. Numbers that the student
 * does not look at stay as they are.
 */
export function tickNoise(seed: number, tick: number, shape: WorldShape, out: Float32Array): void {
  shape.noise.forEach(({ from, count }, stream) => {
    const start = stream * shape.latentLength + from
    normals(seed, tick >>> 0, stream, out.subarray(start, start + count), from)
  })
}

/**
 * One idle tick from start 0 under preset 0 (where it listens to words) against the numbers in the manifest. Played twice: a replay of a captured
 * GPU graph can be wrong where its recording was right.
 *
 * Leaves the backend in that state. Throws `SelfTestError`; a wrong driver, kernel or weight file ends here and not in
 * a strange picture.
 */
export async function selfTest(backend: Backend, files: WorldFiles): Promise<void> {
  const input = selfTestInput(files)
  for (let round = 0; round < 2; round++) {
    await backend.begin(files.starts[0]!.latents)
    await backend.step(input)
    checkLatent(await backend.readLatent(), files.manifest, backend.name)
    checkFrame(await backend.readFrame(), files.manifest, backend.name)
  }
}

/** Throws `SelfTestError` where a latent [T,C] is not the one that the manifest's numbers are of; it names `backend`. */
export function checkLatent(
  latent: Float32Array,
  { selfTest: { latentSample, latentIndex, tolerance } }: Manifest,
  backend: string,
): void {
  const errors = latentSample.map((value, i) => Math.abs(latent[latentIndex?.[i] ?? i]! - value))
  // Not Math.max: a NaN must fail.
  const wrong = errors.find((error) => !(error <= tolerance))
  if (wrong !== undefined) throw new SelfTestError(backend, wrong, tolerance)
}

/**
 * Throws `SelfTestError` where a frame is not the one that the manifest has pixels of; it names `backend`. A right latent may
 * come out as a garbled picture. Nothing where the manifest has none.
 */
export function checkFrame(
  { data, width, height }: Pixels,
  { selfTest: { frame } }: Manifest,
  backend: string,
): void {
  if (!frame) return
  const expected = fromBase64(frame.pixels)
  const count = expected.length / 3
  const off = expected.reduce((sum, value, i) => {
    const pixel = Math.floor(((2 * Math.floor(i / 3) + 1) * width * height) / (2 * count))
    return sum + Math.abs(data[4 * pixel + (i % 3)]! - value)
  }, 0)
  const mean = off / expected.length
  if (!(mean <= frame.tolerance)) throw new SelfTestError(backend, mean, frame.tolerance, 'picture')
}

/** Median milliseconds of a tick now, over `ticks` of them: what thread counts are chosen by. */
export async function timeTicks(backend: Backend, files: WorldFiles, ticks: number): Promise<number> {
  const input = selfTestInput(files)
  const times: number[] = []
  for (let i = 0; i < ticks; i++) {
    const started = performance.now()
    await backend.step(input)
    times.push(performance.now() - started)
  }
  return times.sort((a, b) => a - b)[ticks >> 1]!
}

function selfTestInput({ manifest, shape, starts, knownPrompts }: WorldFiles): StepInput {
  const actions = new Float32Array(shape.actionCount * shape.actionDims)
  actions.set(idleAction(manifest))
  actions.set(starts[0]!.actions, shape.actionDims)
  const noise = new Float32Array(shape.noiseCount * shape.latentLength)
  tickNoise(manifest.selfTest.seed, 1, shape, noise)
  const [preset] = manifest.presets
  const prompt = preset ? knownPrompts.get(promptKey(preset.text))! : NO_WORDS.embedding
  return { actions, noise, prompt }
}
