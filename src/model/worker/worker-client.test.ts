import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { BadInputError, WorldClosedError } from '../../engine/errors'
import type { Snapshot, Tick } from '../../engine/world'
import type { DreamEvent } from '../dream/dream-events'
import {
  AssetMissingError,
  BackendError,
  BackendStalledError,
  DeviceLostError,
  OpeningStalledError,
  toWire,
  WorkerFailedError,
} from '../errors'
import { FakeWorker } from '../port/testing'
import type { Opened, OpenOptions } from './protocol'
import { DreamClient, type DreamClientOptions } from './worker-client'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** What was asked of a worker after it was opened. */
const asked = ({ calls }: FakeWorker) => calls.slice(1)

const opened = (backend = 'wasm', tickMs = 10) =>
  ({ info: { backend, ticksPerSecond: 20 }, manifest: { id: 'tiny' }, tickMs }) as unknown as Opened
const tick = (index: number, epoch = 1): Tick => ({ index, epoch, frame: null, timings: {} })
const settle = () => vi.advanceTimersByTimeAsync(0)

function launch(options: Partial<DreamClientOptions> = {}, moreThreads = 1) {
  const workers: FakeWorker[] = []
  const events: DreamEvent[] = []
  const client = DreamClient.open(
    {
      open: { url: 'https://x/', backend: 'auto', threads: 1, promptEncoderUrl: 'https://x/e', runtimes: {} },
      createWorker: () => {
        const worker = new FakeWorker()
        workers.push(worker)
        return worker
      },
      onEvent: (event) => events.push(event),
      stallSeconds: 5,
      ...options,
    },
    moreThreads,
  )
  client.catch(() => {})
  return { client, workers, events, types: () => events.map(({ type }) => type) }
}

async function launched(backend = 'wasm') {
  const { client, ...rest } = launch()
  rest.workers[0]!.answer(opened(backend))
  return { client: await client, ...rest }
}

describe('opening', () => {
  it('rejects with the error of the worker, its class kept', async () => {
    const { client, workers } = launch()
    workers[0]!.refuse(new AssetMissingError('a.onnx', 'here'))
    await expect(client).rejects.toBeInstanceOf(AssetMissingError)
    expect(workers[0]!.terminated).toBe(true)
  })

  it('rejects where the script of the worker does not load', async () => {
    const { client, workers } = launch()
    workers[0]!.die('404')
    await expect(client).rejects.toBeInstanceOf(WorkerFailedError)
  })

  it('rejects where the worker says nothing for long, and not while it says that it is alive', async () => {
    const { client, workers } = launch()
    for (let second = 0; second < 100; second++) {
      await vi.advanceTimersByTimeAsync(1000)
      workers[0]!.tell({ kind: 'alive' })
    }
    expect(workers[0]!.terminated).toBe(false)
    await vi.advanceTimersByTimeAsync(29_000)
    expect(workers[0]!.terminated).toBe(false)
    await vi.advanceTimersByTimeAsync(1000)
    await expect(client).rejects.toBeInstanceOf(OpeningStalledError)
    expect(workers).toHaveLength(1)
  })

  it('passes progress and early notices on, and ends with ready', async () => {
    const phases: string[] = []
    const { client, workers, types } = launch({ onProgress: ({ phase }) => phases.push(phase) })
    workers[0]!.tell({ kind: 'progress', progress: { phase: 'download', loaded: 1, total: 2 } })
    workers[0]!.tell({ kind: 'event', event: { type: 'notice', code: 'OFFLINE', message: 'x' } })
    workers[0]!.answer(opened())
    await client
    expect(phases).toEqual(['download', 'ready'])
    expect(types()).toEqual(['notice'])
  })
})

describe('the number of threads', () => {
  const threadsOf = ({ calls }: FakeWorker) => (calls[0]!.args[0] as OpenOptions).threads

  it('is one where one is fast enough', async () => {
    const { client, workers } = launch({}, 4)
    workers[0]!.answer(opened('wasm', 30))
    await client
    expect(workers.map(threadsOf)).toEqual([1])
  })

  it('is one on a GPU', async () => {
    const { client, workers } = launch({}, 4)
    workers[0]!.answer(opened('webgpu', 0))
    await client
    expect(workers).toHaveLength(1)
  })

  it.each([
    ['more where they are faster', 20, 1],
    ['one where more are no faster', 39, 0],
  ])('is %s, and the other worker is stopped', async (_, secondMs, winner) => {
    const { client, workers } = launch({}, 4)
    workers[0]!.answer(opened('wasm', 40))
    await settle()
    expect(workers.map(threadsOf)).toEqual([1, 4])
    workers[1]!.answer(opened('wasm', secondMs))
    const dream = await client
    expect(workers.map(({ terminated }) => terminated)).toEqual([winner !== 0, winner !== 1])
    void dream.step({ steer: 0, throttle: 0 })
    await settle()
    expect(asked(workers[winner]!)).toHaveLength(1)
  })

  it('is one where the trial takes too long', async () => {
    const { client, workers } = launch({}, 2)
    workers[0]!.answer(opened('wasm', 40))
    await vi.advanceTimersByTimeAsync(5000)
    await client
    expect(workers.map(({ terminated }) => terminated)).toEqual([false, true])
  })
})

describe('calls', () => {
  it('are posted in order and matched by id', async () => {
    const { client, workers } = await launched()
    const first = client.step({ steer: 1, throttle: 0 })
    const second = client.readPixels()
    await settle()
    const [a, b] = asked(workers[0]!)
    expect([a!.name, b!.name]).toEqual(['step', 'readPixels'])
    workers[0]!.answer('pixels', b!.id)
    workers[0]!.answer(tick(7), a!.id)
    expect((await first).index).toBe(7)
    expect(await second).toBe('pixels')
  })

  it('fail with the error of the worker, its class kept', async () => {
    const { client, workers } = await launched()
    const call = client.reset({ seed: -1 })
    await settle()
    workers[0]!.refuse(new BadInputError('no'))
    await expect(call).rejects.toBeInstanceOf(BadInputError)
  })

  it('are refused after close, which stops the worker once', async () => {
    const { client, workers } = await launched()
    const closing = [client.close(), client.close()]
    await settle()
    expect(asked(workers[0]!).map(({ name }) => name)).toEqual(['close'])
    workers[0]!.answer(undefined)
    await Promise.all(closing)
    expect(workers[0]!.terminated).toBe(true)
    await expect(client.step({ steer: 0, throttle: 0 })).rejects.toBeInstanceOf(WorldClosedError)
  })
})

describe('a worker that stalls or dies', () => {
  const checkpoint = { tick: 40 } as Snapshot

  async function playing(backend = 'wasm') {
    const played = await launched(backend)
    const step = played.client.step({ steer: 0, throttle: 0 })
    await settle()
    played.workers[0]!.answer(tick(41, 3))
    await step
    played.workers[0]!.tell({ kind: 'checkpoint', snapshot: checkpoint })
    return played
  }

  it('is given up after the limit, and replaced from the last checkpoint with epochs that grow', async () => {
    const { client, workers, types } = await playing()
    const lost = client.step({ steer: 0, throttle: 0 })
    lost.catch(() => {})
    await vi.advanceTimersByTimeAsync(6000)
    await expect(lost).rejects.toBeInstanceOf(BackendStalledError)
    expect(workers[0]!.terminated).toBe(true)
    const next = client.step({ steer: 0, throttle: 0 })
    workers[1]!.answer(opened())
    await settle()
    expect(asked(workers[1]!)).toMatchObject([{ name: 'restore', args: [checkpoint] }])
    workers[1]!.answer(tick(40, 1))
    await settle()
    workers[1]!.answer(tick(41, 1))
    expect(await next).toMatchObject({ index: 41, epoch: 4 })
    expect(types()).toEqual(['stalled', 'recovered'])
  })

  it('is left alone while it says that it is alive', async () => {
    const { client, workers, types } = await launched()
    const slow = client.setPrompt('words that load a model')
    await settle()
    for (let second = 0; second < 12; second++) {
      await vi.advanceTimersByTimeAsync(1000)
      workers[0]!.tell({ kind: 'alive' })
    }
    workers[0]!.answer(undefined)
    await slow
    expect(types()).toEqual([])
  })

  it('is borne longer while a lost device is replaced, and no longer once it is', async () => {
    const { client, workers, types } = await launched('webgpu')
    const slow = client.step({ steer: 0, throttle: 0 })
    slow.catch(() => {})
    await settle()
    workers[0]!.tell({ kind: 'event', event: { type: 'device-lost', message: 'x' } })
    await vi.advanceTimersByTimeAsync(20_000)
    workers[0]!.tell({ kind: 'event', event: { type: 'recovered', tick: 1, message: 'x' } })
    expect(types()).toEqual(['device-lost', 'recovered'])
    await vi.advanceTimersByTimeAsync(6000)
    expect(types().at(-1)).toBe('stalled')
  })

  it('and one with nothing to do is left alone for ever', async () => {
    const { workers, types } = await launched()
    await vi.advanceTimersByTimeAsync(600_000)
    expect(types()).toEqual([])
    expect(workers).toHaveLength(1)
  })

  it('after a GPU, the next worker computes on the processor', async () => {
    const { client, workers, types } = await playing('webgpu')
    workers[0]!.die('crashed')
    await settle()
    expect(workers[1]!.calls[0]).toMatchObject({ name: 'open', args: [{ backend: 'wasm' }] })
    workers[1]!.answer(opened('wasm'))
    await settle()
    workers[1]!.answer(tick(40))
    await settle()
    expect(types()).toEqual(['stalled', 'backend', 'recovered'])
    expect(client.info.backend).toBe('wasm')
  })

  it('that cannot be replaced fails every call by name', async () => {
    const { client, workers, events, types } = await playing()
    workers[0]!.die('crashed')
    await settle()
    workers[1]!.refuse(new BackendError('wasm', 'x'))
    await settle()
    await expect(client.step({ steer: 0, throttle: 0 })).rejects.toBeInstanceOf(BackendError)
    expect(types()).toEqual(['stalled', 'failed'])
    expect(events.at(-1)).toMatchObject({ error: expect.any(BackendError) })
    await client.close()
  })
})

it('events reach every listener until it stops listening, and a change of backend shows in info', async () => {
  const { client, workers } = await launched('webgpu')
  const heard: DreamEvent[] = []
  const stop = client.on((event) => heard.push(event))
  const info = { ...client.info, backend: 'wasm' }
  workers[0]!.tell({ kind: 'event', event: { type: 'backend', info, message: 'x' } })
  expect(client.info.backend).toBe('wasm')
  const error = toWire(new DeviceLostError('x')) as unknown as DeviceLostError
  workers[0]!.tell({ kind: 'event', event: { type: 'failed', error, message: 'x' } })
  stop()
  workers[0]!.tell({ kind: 'event', event: { type: 'recovered', tick: 1, message: 'x' } })
  expect(heard.map(({ type }) => type)).toEqual(['backend', 'failed'])
  expect(heard[1]).toMatchObject({ error: expect.any(DeviceLostError) })
})
