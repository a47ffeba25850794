/** What the server's tests share: the small fixture world, and an engine of known cost. */
import * as ort from 'onnxruntime-node'
import { Serial } from '../src/engine/serial'
import type { Prompt, ResetOptions, Snapshot } from '../src/engine/world'
import { nodeSession } from '../src/model/node'
import { loadTiny } from '../src/model/testing'
import type { FrameFormat } from '../src/net/messages'
import { BatchedDream } from './batched-dream'
import { DreamEngine, type Engine, type Picture, type Served, type StepJob, type StepResult } from './engine'

/** The fixture world in this thread. */
export async function tinyEngine(maxBatch = 8): Promise<DreamEngine> {
  const { dream, files } = await tinyBatched(maxBatch)
  return new DreamEngine(dream, files, maxBatch, 'node-cpu')
}

export async function tinyBatched(maxBatch = 8) {
  const files = await loadTiny()
  const dream = await BatchedDream.open({
    ort,
    files,
    session: nodeSession(1),
    maxBatch,
    runs: new Serial(),
  })
  return { dream, files }
}

/** Computes nothing: a picture is the session's tick and action, and a step takes as long as a test says. */
export class FakeEngine implements Engine {
  readonly lost = new Promise<never>(() => {})
  readonly served: Served = {
    world: {
      id: 'fake',
      backend: 'fake',
      modelHash: 'fake-model',
      width: 2,
      height: 1,
      ticksPerSecond: 20,
    },
    latent: { tokens: 1, channels: 1 },
  }
  /** Sessions of every step, and what each was to do. */
  readonly steps: (readonly StepJob[])[] = []
  readonly prompts: string[] = []
  readonly dreams = new Map<string, { epoch: number; tick: number }>()
  closed = false

  constructor(
    readonly maxBatch = 8,
    private readonly beforeStep: () => Promise<void> = async () => {},
  ) {}

  async reset(session: string, _options: ResetOptions, format: FrameFormat): Promise<Picture> {
    return this.begin(session, 0, format)
  }

  async restore(session: string, snapshot: Snapshot, format: FrameFormat): Promise<Picture> {
    return this.begin(session, snapshot.tick, format)
  }

  async setPrompt(_session: string, prompt: Prompt | string): Promise<void> {
    this.prompts.push(typeof prompt === 'string' ? prompt : prompt.text)
  }

  async snapshot(session: string): Promise<Snapshot> {
    const { tick } = this.dreams.get(session)!
    const { id, modelHash } = this.served.world
    return {
      format: 'oneiro-snapshot',
      version: 1,
      world: id,
      modelHash,
      ...{ tick, seed: 0, prompt: { text: '', embedding: null }, state: {} },
    }
  }

  async step(jobs: readonly StepJob[]): Promise<StepResult> {
    this.steps.push(jobs)
    await this.beforeStep()
    const pictures = jobs.flatMap(({ session, format, action }): Picture[] => {
      const dream = this.dreams.get(session)
      if (!dream) return []
      dream.tick++
      const payload = Uint8Array.of(action.steer + 1, action.throttle + 1)
      return format ? [{ session, ...dream, format, payload, encodeMs: 0 }] : []
    })
    return { pictures, studentMs: 1 }
  }

  async free(session: string): Promise<void> {
    this.dreams.delete(session)
  }

  async close(): Promise<void> {
    this.closed = true
  }

  private begin(session: string, tick: number, format: FrameFormat): Picture {
    const dream = { epoch: (this.dreams.get(session)?.epoch ?? 0) + 1, tick }
    this.dreams.set(session, dream)
    return { session, ...dream, format, payload: Uint8Array.of(1, 1), encodeMs: 0 }
  }
}
