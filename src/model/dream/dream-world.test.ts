import { afterEach, describe, expect, it } from 'vitest'
import type { Action } from '../../engine/controls'
import { BadInputError, SnapshotMismatchError } from '../../engine/errors'
import { hashPixels } from '../../engine/frame-hash'
import { checkWorld } from '../../engine/testing/world-suite'
import type { Snapshot, World } from '../../engine/world'
import { DeviceLostError } from '../errors'
import { openDreamNode } from '../node'
import { ACTIONS, countingOrt, IDLE, LosableBackend, loadTiny, TINY, tinyBackend } from '../testing'
import type { DreamEvent } from './dream-events'
import { DreamWorld, type DreamWorldOptions } from './dream-world'
import { tickNoise } from './self-test'

const open: DreamWorld[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((world) => world.close()))
})

async function tinyDream(options: Partial<DreamWorldOptions> = {}): Promise<DreamWorld> {
  const files = await loadTiny()
  const world = new DreamWorld({ files, backend: await tinyBackend(files), ...options })
  open.push(world)
  return world
}

/** A state of the right sizes. */
const STATE = { latents: new Float32Array(16 * 60 * 32), actions: new Float32Array(6) }

const action = (i: number): Action => ACTIONS[(i * 5 + 3) % ACTIONS.length]!

async function play(world: World, from: number, count: number): Promise<string[]> {
  const hashes: string[] = []
  for (let i = from; i < from + count; i++) hashes.push(hashPixels((await world.step(action(i))).frame!))
  return hashes
}

checkWorld('DreamWorld in Node', {
  open: () => openDreamNode(TINY, { threads: 1 }),
  starts: ['first-light', 'last-light'],
})

describe('DreamWorld', () => {
  it('gives the same 30 frames twice, and in a second world', async () => {
    const world = await tinyDream()
    await world.reset({ seed: 41 })
    const once = await play(world, 0, 30)
    expect(new Set(once).size).toBe(30)
    await world.reset({ seed: 41 })
    expect(await play(world, 0, 30)).toEqual(once)
    const other = await tinyDream()
    await other.reset({ seed: 41 })
    expect(await play(other, 0, 30)).toEqual(once)
  })

  it('branches: two futures from one snapshot differ, and each comes back', async () => {
    const world = await tinyDream()
    await world.reset({ seed: 8 })
    await play(world, 0, 17)
    const fork = await world.snapshot()
    expect(fork.state.latents).toHaveLength(16 * 60 * 32)
    const left = await play(world, 0, 5)
    await world.restore(fork)
    const right = await play(world, 100, 5)
    expect(right).not.toEqual(left)
    await world.restore(fork)
    expect(await play(world, 0, 5)).toEqual(left)
  })

  it('draws the noise of the tick that is to come', async () => {
    const files = await loadTiny()
    const backend = await tinyBackend(files)
    const drawn: Float32Array[] = []
    const step = backend.step.bind(backend)
    backend.step = (input) => {
      drawn.push(input.noise.slice())
      return step(input)
    }
    const world = await tinyDream({ files, backend })
    await world.reset({ seed: 4 })
    await play(world, 0, 2)
    const expected = [1, 2].map((tick) => {
      const noise = new Float32Array(drawn[0]!.length)
      tickNoise(4, tick, files.shape, noise)
      return noise
    })
    expect(drawn).toEqual(expected)
  })

  it('says once that it is closed, when the backend is free', async () => {
    const files = await loadTiny()
    const backend = new LosableBackend(await tinyBackend(files))
    const freed: boolean[] = []
    const world = new DreamWorld({ files, backend, onClose: async () => void freed.push(backend.disposed) })
    await Promise.all([world.close(), world.close()])
    expect(freed).toEqual([true])
  })

  it('lets every control show in the next frame', async () => {
    const world = await tinyDream()
    await world.reset({ seed: 3 })
    const fork = await world.snapshot()
    const frames = new Set<string>()
    for (const held of ACTIONS) {
      await world.restore(fork)
      frames.add(hashPixels((await world.step(held)).frame!))
    }
    expect(frames.size).toBe(ACTIONS.length)
  })

  it('chooses the start by seed and takes its caption as the prompt', async () => {
    const world = await tinyDream()
    await world.reset({ seed: 4 })
    expect((await world.snapshot()).prompt!.text).toBe('a bright high noon')
    await world.reset({ seed: 4, start: 'last-light' })
    expect((await world.snapshot()).prompt!.text).toBe('the last light')
  })

  it.each([[{ steer: 2, throttle: 0 }], [{ steer: 0, throttle: Number.NaN }], [{ steer: 0 }]])(
    'refuses the action %j',
    async (bad) => {
      const world = await tinyDream()
      await world.reset({ seed: 1 })
      await expect(world.step(bad as Action)).rejects.toBeInstanceOf(BadInputError)
      expect((await world.step(IDLE)).index).toBe(1)
    },
  )

  it.each([
    ['version', { version: 1 }, SnapshotMismatchError],
    ['format', { format: 'other' }, SnapshotMismatchError],
    ['tick', { tick: -1 }, BadInputError],
    ['tick', { tick: 0.5 }, BadInputError],
    ['seed', { seed: 0.5 }, BadInputError],
    ['latents', { state: { latents: new Float32Array(3), actions: new Float32Array(6) } }, BadInputError],
    ['latents', { state: { ...STATE, latents: new Float32Array(30720).fill(Number.NaN) } }, BadInputError],
    ['latents', { state: { ...STATE, latents: new Float32Array(30720).fill(1001) } }, BadInputError],
    ['actions', { state: { ...STATE, actions: new Float32Array(6).fill(Number.NaN) } }, BadInputError],
    ['actions', { state: { ...STATE, actions: new Float32Array(6).fill(1.5) } }, BadInputError],
    ['prompt', { prompt: { text: 'x', embedding: new Float32Array(384) } }, BadInputError],
  ])('refuses a snapshot with a wrong %s and plays on', async (_, change, error) => {
    const world = await tinyDream()
    await world.reset({ seed: 1 })
    await play(world, 0, 2)
    const snapshot = { ...(await world.snapshot()), ...change } as Snapshot
    await expect(world.restore(snapshot)).rejects.toBeInstanceOf(error)
    expect((await world.step(IDLE)).index).toBe(3)
  })

  it('holds the same after 300 ticks as after 3, never overlaps runs, and frees all on close', async () => {
    const files = await loadTiny()
    const { ort, counts } = countingOrt()
    const world = new DreamWorld({ files, backend: await tinyBackend(files, ort) })
    await world.reset({ seed: 5 })
    await Promise.all([play(world, 0, 3), world.readPixels(), world.snapshot()])
    const early = { ...counts, runs: 0 }
    expect(world.stats.tensors).toBe(early.outputs)
    await play(world, 3, 297)
    expect({ ...counts, runs: 0 }).toEqual(early)
    expect(counts.mostRunning).toBe(1)
    expect(counts.runs).toBe(2 * 300 + 1)
    await world.close()
    expect(counts).toMatchObject({ sessions: 0, outputs: 0 })
  })
})

describe('prompts of a DreamWorld', () => {
  const unit = (at: number) => {
    const embedding = new Float32Array(384)
    embedding[at] = 1
    return embedding
  }

  it('knows presets by heart, whatever their case', async () => {
    const world = await tinyDream()
    await world.reset({ seed: 1, prompt: ' A Snowy Night Drive ' })
    const given = (await world.snapshot()).prompt!.embedding
    await world.reset({ seed: 1, prompt: 'a snowy night drive' })
    expect((await world.snapshot()).prompt!.embedding).toEqual(given)
  })

  it('refuses other words without an encoder, and embeddings that are none', async () => {
    const world = await tinyDream()
    await world.reset({ seed: 1 })
    await expect(world.setPrompt('underwater')).rejects.toThrow(/none of the world's presets/)
    await expect(world.setPrompt('  ')).rejects.toBeInstanceOf(BadInputError)
    await expect(world.setPrompt({ text: 'x', embedding: new Float32Array(3) })).rejects.toThrow(/384/)
    await expect(world.setPrompt({ text: 'x', embedding: unit(0).fill(Number.NaN) })).rejects.toThrow(/384/)
  })

  it('keeps its own copy of an embedding', async () => {
    const world = await tinyDream()
    const embedding = unit(1)
    await world.reset({ seed: 1, prompt: { text: 'mine', embedding } })
    embedding.fill(0)
    expect((await world.snapshot()).prompt!.embedding).toEqual(unit(1))
  })

  it("gives snapshots of which every array is the receiver's own", async () => {
    const world = await tinyDream()
    const prompt = { text: 'mine', embedding: unit(1) }
    await world.reset({ seed: 1, prompt })
    const untouched = await play(world, 0, 3)
    await world.reset({ seed: 1, prompt })
    const snapshot = await world.snapshot()
    for (const array of [...Object.values(snapshot.state), snapshot.prompt!.embedding!]) array.fill(0)
    expect(await play(world, 0, 3)).toEqual(untouched)
  })

  it('plays on while words are encoded, and the newest words win', async () => {
    const waiting = new Map<string, (embedding: Float32Array) => void>()
    const encodePrompt = (text: string) =>
      new Promise<Float32Array>((resolve) => void waiting.set(text, resolve))
    const world = await tinyDream({ encodePrompt })
    await world.reset({ seed: 1 })
    const first = world.setPrompt('first words')
    const second = world.setPrompt('second words')
    expect((await world.step(IDLE)).index).toBe(1)
    waiting.get('second words')!(unit(2))
    expect(await second).toEqual({ tick: 2 })
    waiting.get('first words')!(unit(1))
    expect(await first).toEqual({ tick: null })
    expect((await world.snapshot()).prompt).toEqual({ text: 'second words', embedding: unit(2) })
  })

  it.each(['reset', 'restore'] as const)(
    'drops words that were still being encoded when a %s came',
    async (begin) => {
      const answers: ((embedding: Float32Array) => void)[] = []
      const encodePrompt = () => new Promise<Float32Array>((resolve) => void answers.push(resolve))
      const world = await tinyDream({ encodePrompt })
      await world.reset({ seed: 1 })
      const snapshot = await world.snapshot()
      const late = world.setPrompt('late words')
      await (begin === 'reset' ? world.reset({ seed: 1 }) : world.restore(snapshot))
      answers[0]!(unit(1))
      expect(await late).toEqual({ tick: null })
      expect((await world.snapshot()).prompt!.text).toBe('a bright high noon')
    },
  )
})

describe('a lost device', () => {
  interface Losable {
    fallTo?: string
    devices?: number
    onCheckpoint?: (snapshot: Snapshot) => void
  }

  async function losable({ fallTo = 'losable', devices = 9, onCheckpoint }: Losable = {}) {
    const files = await loadTiny()
    const backends = [new LosableBackend(await tinyBackend(files))]
    const events: DreamEvent[] = []
    const world = await tinyDream({
      backend: backends[0]!,
      checkpointEvery: 4,
      onEvent: (event) => events.push(event),
      onCheckpoint,
      reopen: async (lost) => {
        if (backends.length >= devices) throw lost
        const next = new LosableBackend(await tinyBackend(files), fallTo)
        backends.push(next)
        return next
      },
    })
    return { world, backends, events, types: () => events.map(({ type }) => type) }
  }

  async function undisturbed(ticks: number): Promise<string[]> {
    const world = await tinyDream()
    await world.reset({ seed: 9 })
    return play(world, 0, ticks)
  }

  it.each([1, 3, 4, 5, 11])(
    'after %i ticks costs no tick: every frame is as if nothing had been',
    async (ticks) => {
      const { world, backends, types } = await losable()
      await world.reset({ seed: 9 })
      backends[0]!.stepsLeft = ticks
      expect(await play(world, 0, 14)).toEqual(await undisturbed(14))
      expect(types()).toEqual(['device-lost', 'recovered'])
      expect(backends[0]!.disposed).toBe(true)
      expect(world.stats.deviceLosses).toBe(1)
    },
  )

  it('is not lost again when word of it comes late', async () => {
    const { world, backends } = await losable()
    await world.reset({ seed: 9 })
    backends[0]!.step = () => Promise.reject(new DeviceLostError('in a step'))
    await world.step(IDLE)
    backends[0]!.lose()
    expect((await world.step(IDLE)).index).toBe(2)
    expect([world.stats.deviceLosses, backends.length]).toEqual([1, 2])
  })

  it('recovers by itself while paused, each time, at the same tick and epoch', async () => {
    const { world, backends, events, types } = await losable()
    const { epoch } = await world.reset({ seed: 9 })
    const frames = await play(world, 0, 6)
    const once = ['device-lost', 'recovered']
    backends[0]!.lose()
    await expect.poll(types).toEqual(once)
    expect(events[1]).toMatchObject({ type: 'recovered', tick: 6 })
    backends[1]!.lose('again')
    await expect.poll(types).toEqual([...once, ...once])
    expect(hashPixels(await world.readPixels())).toBe(frames.at(-1))
    expect(await world.step(action(6))).toMatchObject({ index: 7, epoch })
  })

  it('keeps the prompt that was set since the checkpoint, tick by tick', async () => {
    const script = async (world: World, lose?: () => void) => {
      await world.reset({ seed: 9 })
      await play(world, 0, 5)
      await world.setPrompt('a snowy night drive')
      await play(world, 5, 2)
      await world.setPrompt('fog at dawn in the forest')
      lose?.()
      return play(world, 7, 2)
    }
    const { world, backends } = await losable()
    const frames = await script(world, () => backends[0]!.lose())
    expect(frames).toEqual(await script(await tinyDream()))
  })

  it('survives another loss in the middle of the recovery', async () => {
    const { world, backends, types } = await losable()
    await world.reset({ seed: 9 })
    await play(world, 0, 3)
    backends[0]!.lose()
    await expect.poll(() => backends.length).toBe(2)
    backends[1]!.lose('again')
    expect(await play(world, 3, 4)).toEqual((await undisturbed(7)).slice(3))
    expect(types().at(-1)).toBe('recovered')
  })

  it('goes back to no checkpoint of a drive that was over when it came', async () => {
    const checkpoints: Snapshot[] = []
    const { world, backends } = await losable({ onCheckpoint: (snapshot) => checkpoints.push(snapshot) })
    await world.reset({ seed: 3 })
    let arrive = () => {}
    const gate = new Promise<void>((resolve) => {
      arrive = resolve
    })
    let late = Promise.resolve<unknown>(null)
    const read = backends[0]!.readLatents.bind(backends[0])
    backends[0]!.readLatents = () => {
      const latents = read().then((read) => gate.then(() => read))
      late = latents
      return latents
    }
    await play(world, 0, 4)
    await world.reset({ seed: 9 })
    await play(world, 0, 2)
    arrive()
    await late
    expect(checkpoints.map(({ seed, tick }) => [seed, tick])).toEqual([
      [3, 0],
      [9, 0],
    ])
    backends[0]!.lose()
    expect(await play(world, 2, 3)).toEqual((await undisturbed(5)).slice(2))
  })

  it('gives up after twenty devices that were lost one after the other', async () => {
    const files = await loadTiny()
    const inner = await tinyBackend(files)
    const first = new LosableBackend(inner)
    let opened = 0
    const world = await tinyDream({
      backend: first,
      reopen: async (lost) => {
        if (++opened > 30) throw lost
        const next = new LosableBackend(inner)
        next.begin = () => Promise.reject(new DeviceLostError('again'))
        return next
      },
    })
    await world.reset({ seed: 9 })
    first.lose()
    await expect(world.step(IDLE)).rejects.toBeInstanceOf(DeviceLostError)
    expect(opened).toBe(20)
  })

  it('says so when another backend takes over', async () => {
    const { world, backends, types } = await losable({ fallTo: 'wasm' })
    await world.reset({ seed: 9 })
    backends[0]!.lose()
    await world.step(IDLE)
    expect(types()).toEqual(['device-lost', 'backend', 'recovered'])
    expect(world.info.backend).toBe('wasm')
  })

  it('fails every call by name where no device can be had again', async () => {
    const { world, backends, types } = await losable({ devices: 1 })
    await world.reset({ seed: 9 })
    backends[0]!.lose()
    await expect(world.step(IDLE)).rejects.toBeInstanceOf(DeviceLostError)
    await expect(world.reset({ seed: 1 })).rejects.toBeInstanceOf(DeviceLostError)
    expect(types()).toEqual(['device-lost', 'failed'])
    await world.close()
  })

  it('tells checkpoints that another world can begin from', async () => {
    const checkpoints: Snapshot[] = []
    const world = await tinyDream({
      checkpointEvery: 4,
      onCheckpoint: (snapshot) => checkpoints.push(snapshot),
    })
    await world.reset({ seed: 9 })
    const frames = await play(world, 0, 10)
    expect(checkpoints.map(({ tick }) => tick)).toEqual([0, 4, 8])
    const other = await tinyDream()
    await other.restore(checkpoints[2]!)
    expect(await play(other, 8, 2)).toEqual(frames.slice(8))
  })
})
