import { describe, expect, it } from 'vitest'
import { BadInputError } from '../../engine/errors'
import { FakeWorker } from '../port/testing'
import { openPromptEncoder } from './client'
import { PromptEncoderError } from './errors'

function open(options: Partial<Parameters<typeof openPromptEncoder>[0]> = {}) {
  const workers: FakeWorker[] = []
  const encoder = openPromptEncoder({
    url: 'https://example.org/assets/prompt-encoder/encoder.json',
    createWorker: () => {
      const worker = new FakeWorker()
      workers.push(worker)
      return worker
    },
    ...options,
  })
  return { encoder, workers }
}

describe('openPromptEncoder', () => {
  it('starts no worker before the first encode, nor for an empty prompt', async () => {
    const { encoder, workers } = open()
    await expect(encoder.encode(' ')).rejects.toMatchObject({ code: 'BAD_INPUT' })
    expect(workers).toHaveLength(0)
  })

  it('opens the worker once and matches answers to calls by id', async () => {
    const { encoder, workers } = open()
    const rain = encoder.encode('rain')
    const fog = encoder.encode('fog')
    const [worker] = workers
    const url = 'https://example.org/assets/prompt-encoder/encoder.json'
    expect(worker!.calls).toEqual([
      { id: 1, name: 'open', args: [{ url, runtimes: {} }] },
      { id: 2, name: 'encode', args: ['rain'] },
      { id: 3, name: 'encode', args: ['fog'] },
    ])
    worker!.answer(new Float32Array([2]), 3)
    worker!.answer(new Float32Array([1]), 2)
    expect([await rain, await fog]).toEqual([new Float32Array([1]), new Float32Array([2])])
    expect(workers).toHaveLength(1)
  })

  it('tells the worker which world is conditioned', () => {
    const { encoder, workers } = open({ world: 'https://example.org/assets/drive/' })
    encoder.encode('rain').catch(() => {})
    expect(workers[0]!.calls[0]!.args[0]).toEqual({
      url: 'https://example.org/assets/prompt-encoder/encoder.json',
      world: 'https://example.org/assets/drive/',
      runtimes: {},
    })
  })

  it('passes progress and notices on', () => {
    const told: unknown[] = []
    const { encoder, workers } = open({ onProgress: (p) => told.push(p), onNotice: (s) => told.push(s) })
    encoder.encode('rain').catch(() => {})
    workers[0]!.tell({ kind: 'progress', progress: { loaded: 1, total: 2 } })
    workers[0]!.tell({ kind: 'notice', notice: { code: 'PROMPT_CUT', message: 'Its end was cut.' } })
    expect(told).toEqual([
      { loaded: 1, total: 2 },
      { code: 'PROMPT_CUT', message: 'Its end was cut.' },
    ])
  })

  it('gives the errors of the worker their names back', async () => {
    const { encoder, workers } = open()
    const calls = [encoder.encode('a'), encoder.encode('b')]
    workers[0]!.refuse(new BadInputError('no words'), 2)
    workers[0]!.refuse(new PromptEncoderError('damaged'), 3)
    await expect(calls[0]).rejects.toMatchObject({ name: 'BadInputError', message: 'no words' })
    await expect(calls[1]).rejects.toMatchObject({ name: 'PromptEncoderError', message: 'damaged' })
  })

  it('fails the calls under way when the worker dies, and starts another for the next', async () => {
    const { encoder, workers } = open()
    const lost = encoder.encode('rain')
    workers[0]!.die('out of memory')
    await expect(lost).rejects.toThrow('worker stopped (out of memory)')
    expect(workers[0]!.terminated).toBe(true)
    const next = encoder.encode('rain')
    workers[1]!.answer(new Float32Array([3]))
    expect(await next).toEqual(new Float32Array([3]))
  })

  it('refuses everything after dispose', async () => {
    const { encoder, workers } = open()
    const inFlight = encoder.encode('rain')
    await encoder.dispose()
    await encoder.dispose()
    await expect(inFlight).rejects.toThrow(/dispose/)
    await expect(encoder.encode('rain')).rejects.toThrow(/dispose/)
    expect(workers[0]!.terminated).toBe(true)
  })
})
