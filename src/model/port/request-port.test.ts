import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { BadInputError, type OneiroError } from '../../engine/errors'
import { BackendStalledError, WorkerFailedError } from '../errors'
import { answerCalls, type PortScope } from './answer-calls'
import { RequestPort, type RequestPortOptions } from './request-port'
import { FakeWorker } from './testing'

interface Calls {
  add(a: number, b: number): Promise<number>
  wait(): Promise<void>
}

function launch(options: Partial<RequestPortOptions<Calls, string>> = {}) {
  const worker = new FakeWorker()
  const events: string[] = []
  const gone: OneiroError[] = []
  const port = new RequestPort<Calls, string>({
    ...{ worker, onEvent: (event) => events.push(event), onGone: (error) => gone.push(error) },
    ...options,
  })
  return { worker, port, events, gone }
}

describe('a call', () => {
  it('settles with its own answer, in whatever order answers come', async () => {
    const { worker, port } = launch()
    const [first, second] = [port.call('add', [1, 2]), port.call('add', [3, 4])]
    worker.answer(7, worker.calls[1]!.id)
    worker.answer(3, worker.calls[0]!.id)
    expect(await Promise.all([first, second])).toEqual([3, 7])
  })

  it('rejects with the error of the other side, its class kept, and others go on', async () => {
    const { worker, port } = launch()
    const [bad, good] = [port.call('add', [1, Number.NaN]), port.call('add', [1, 1])]
    worker.refuse(new BadInputError('two numbers, please'), worker.calls[0]!.id)
    worker.answer(2, worker.calls[1]!.id)
    await expect(bad).rejects.toBeInstanceOf(BadInputError)
    expect(await good).toBe(2)
  })

  it('rejects where the worker dies, and so does what is asked later; that is told once', async () => {
    const { worker, port, gone } = launch()
    const under = port.call('wait', [])
    worker.die('out of memory')
    worker.die('again')
    await expect(under).rejects.toBeInstanceOf(WorkerFailedError)
    await expect(port.call('wait', [])).rejects.toThrow('out of memory')
    expect(gone).toHaveLength(1)
    expect([port.ended, worker.terminated]).toEqual([true, true])
  })

  it('rejects where an answer cannot be read', async () => {
    const { worker, port, gone } = launch()
    const under = port.call('wait', [])
    worker.onmessageerror!.call(worker as unknown as Worker, {} as MessageEvent)
    await expect(under).rejects.toThrow('a message could not be read')
    expect([gone.length, worker.terminated]).toEqual([1, true])
  })

  it('rejects with what the port is ended with, which is nobody else told', async () => {
    const { worker, port, gone, events } = launch()
    const under = port.call('wait', [])
    port.end(new Error('enough'))
    port.end(new Error('twice'))
    await expect(under).rejects.toThrow('enough')
    worker.tell('late')
    expect([gone, events]).toEqual([[], []])
  })
})

describe('the watchdog', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())
  const watchdog = {
    seconds: () => 3,
    stalled: (name: string, seconds: number) => new BackendStalledError(name, seconds),
  }

  it('gives up what is silent while something is asked of it', async () => {
    const { port, gone, worker } = launch({ watchdog })
    const under = port.call('wait', [])
    under.catch(() => {})
    await vi.advanceTimersByTimeAsync(2000)
    worker.tell('still here')
    await vi.advanceTimersByTimeAsync(2000)
    expect(gone).toEqual([])
    await vi.advanceTimersByTimeAsync(2000)
    await expect(under).rejects.toBeInstanceOf(BackendStalledError)
    expect(gone).toHaveLength(1)
  })

  it('leaves what has nothing to do alone', async () => {
    const { gone } = launch({ watchdog })
    await vi.advanceTimersByTimeAsync(60_000)
    expect(gone).toEqual([])
  })
})

it('both ends together: answers, errors, events in order, buffers that move', async () => {
  const { port1, port2 } = new MessageChannel()
  const seen: string[] = []
  const answers: Float32Array[] = []
  answerCalls<string>(
    port2 as unknown as PortScope,
    (tell) => ({
      async add(a: number, b: number) {
        tell('adding')
        if (Number.isNaN(a + b)) throw new BadInputError('two numbers, please')
        answers.push(Float32Array.of(a + b))
        return answers.at(-1)
      },
    }),
    { transfer: (value) => (value instanceof Float32Array ? [value.buffer] : []) },
  )
  const worker = Object.assign(port1, { onerror: null, terminate: () => port1.close() })
  const port = new RequestPort<{ add(a: number, b: number): Promise<Float32Array> }, string>({
    ...{ worker: worker as unknown as Worker, onEvent: (event) => seen.push(event) },
  })
  expect(await port.call('add', [1, 2]).then((sum) => [...seen, ...sum])).toEqual(['adding', 3])
  expect(answers.map(({ byteLength }) => byteLength)).toEqual([0])
  await expect(port.call('add', [1, Number.NaN])).rejects.toBeInstanceOf(BadInputError)
  port.end(new Error('done'))
})
