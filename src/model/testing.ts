/** What the tests of this folder share. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import * as ortNode from 'onnxruntime-node'
import { type Action, type Control, spaceOf } from '../engine/controls'
import { TaskQueue } from '../engine/task-queue'
import { type AssetSource, NO_CACHE } from './assets/assets'
import { loadWorldFiles, type WorldFiles } from './assets/world-files'
import type { Backend, BackendCounts, Ort, Screen, Stages, StepInput } from './backends/backend'
import { openCpuBackend } from './backends/cpu-backend'
import { BatchedDream } from './dream/batched-dream'
import { AssetMissingError, DeviceLostError } from './errors'
import { nodeSession } from './node'

/** The fixture world that `distill/export/fixture.py` writes. */
export const TINY = fileURLToPath(new URL('../../e2e/fixtures/tiny/', import.meta.url))

const { controls } = JSON.parse(readFileSync(`${TINY}world.json`, 'utf8')) as { controls: Control[] }
const tiny = spaceOf(controls)
export const IDLE = tiny.idle
/** All of the fixture's, by their codes. */
export const ACTIONS: readonly Action[] = Array.from({ length: tiny.size }, (_, code) => tiny.action(code))

const NAMES = ['world.json', 'student.onnx', 'decoder.onnx', 'starts.safetensors']

/** The fixture's files in memory, to be damaged at will. */
export function tinyFiles(): Map<string, Uint8Array> {
  return new Map(NAMES.map((name) => [name, new Uint8Array(readFileSync(TINY + name))]))
}

export function folderInMemory(files: Map<string, Uint8Array>): AssetSource {
  return {
    where: 'memory',
    async read(path, onBytes) {
      const bytes = files.get(path)
      if (!bytes) throw new AssetMissingError(path, 'memory')
      onBytes?.(bytes.length)
      return bytes
    },
  }
}

/** The files with a field of world.json changed by `change`. */
export function withManifest(change: (manifest: Record<string, unknown>) => void): Map<string, Uint8Array> {
  const files = tinyFiles()
  const manifest = JSON.parse(new TextDecoder().decode(files.get('world.json')))
  change(manifest)
  return files.set('world.json', new TextEncoder().encode(JSON.stringify(manifest)))
}

/** The fixture as a world whose state is half precision. */
export function halfTinyFiles(): Map<string, Uint8Array> {
  return withManifest((manifest) => {
    Object.assign(manifest.latent as object, { dtype: 'float16' })
    // Two backends may round to neighbouring halves.
    Object.assign(manifest.selfTest as object, { tolerance: 1e-2 })
  })
}

export function sha256Hex(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex')
}

export function loadTiny(files = tinyFiles()): Promise<WorldFiles> {
  return loadWorldFiles({ source: folderInMemory(files), cache: NO_CACHE })
}

/** A backend in Node on one thread. */
export async function tinyBackend(files: WorldFiles, ort: Ort = ortNode) {
  return openCpuBackend({ ort, name: 'node-cpu', files, session: nodeSession(1), runs: new TaskQueue() })
}

/** Many dreams of the fixture on one thread. */
export async function tinyBatched(
  maxBatch = 8,
  ort: Ort = ortNode,
  encodePrompt?: (text: string) => Promise<Float32Array>,
) {
  const files = await loadTiny()
  const session = nodeSession(1)
  const dream = await BatchedDream.open({ ...{ ort, files, session, maxBatch, encodePrompt }, name: 'tiny' })
  return { dream, files }
}

/** An ONNX Runtime that counts what is alive and notices runs that overlap. */
export function countingOrt() {
  const counts = { sessions: 0, outputs: 0, running: 0, mostRunning: 0, runs: 0 }
  const ort: Ort = {
    Tensor: ortNode.Tensor as Ort['Tensor'],
    InferenceSession: {
      async create(model, options) {
        const session = await ortNode.InferenceSession.create(model, options)
        counts.sessions++
        const run = session.run.bind(session)
        const release = session.release.bind(session)
        session.run = async (feeds: Parameters<typeof run>[0]) => {
          counts.runs++
          counts.mostRunning = Math.max(counts.mostRunning, ++counts.running)
          const out = await run(feeds)
          counts.running--
          for (const tensor of Object.values(out)) {
            counts.outputs++
            const dispose = tensor.dispose.bind(tensor)
            tensor.dispose = () => {
              counts.outputs--
              dispose()
            }
          }
          return out
        }
        session.release = async () => {
          counts.sessions--
          await release()
        }
        return session
      },
    },
  }
  return { ort, counts }
}

/** A backend whose device can be lost, over one that computes. */
export class LosableBackend implements Backend {
  readonly screen: Screen | null = null
  readonly lost: Promise<DeviceLostError>
  disposed = false
  private tellLost!: (error: DeviceLostError) => void
  private error: DeviceLostError | null = null
  /** Steps until the device is lost in the middle of one. */
  stepsLeft = Number.POSITIVE_INFINITY

  constructor(
    private readonly inner: Backend,
    readonly name = 'losable',
  ) {
    this.lost = new Promise((resolve) => {
      this.tellLost = resolve
    })
  }

  lose(why = 'a test asked for it'): void {
    this.error = new DeviceLostError(why)
    this.tellLost(this.error)
  }

  async begin(latents: Float32Array): Promise<void> {
    await this.inner.begin(latents)
    if (this.error) throw this.error
  }
  async step(input: StepInput): Promise<Stages> {
    if (--this.stepsLeft < 0 && !this.error) this.lose('in the middle of a step')
    const stages = await this.inner.step(input)
    if (this.error) throw this.error
    return stages
  }
  async readLatent() {
    if (this.error) throw this.error
    return this.inner.readLatent()
  }
  async readLatents() {
    if (this.error) throw this.error
    return this.inner.readLatents()
  }
  async readFrame() {
    if (this.error) throw this.error
    return this.inner.readFrame()
  }
  counts(): BackendCounts {
    return this.inner.counts()
  }
  async dispose(): Promise<void> {
    this.disposed = true
    await this.inner.dispose()
  }
}
