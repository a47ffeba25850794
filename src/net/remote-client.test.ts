import { expose } from 'comlink'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { IDLE } from '../engine/action'
import { WorldClosedError } from '../engine/errors'
import { WorkerFailedError } from '../model/errors'
import { RemoteClient } from './remote-client'
import type { Outcome, RemoteHost, RemoteHostEvent, RemoteOpened } from './remote-host'

const closing: { close(): void }[] = []
afterEach(() => {
  for (const one of closing.splice(0)) one.close()
})

const OPENED = { value: { info: {}, manifest: null } } as unknown as Outcome<RemoteOpened>
const never = () => new Promise<never>(() => {})

/** A worker in this thread, whose host does as a test says. */
function launch(host: Partial<RemoteHost>) {
  const { port1, port2 } = new MessageChannel()
  closing.push(port1)
  let tell: (event: RemoteHostEvent) => void = () => {}
  const open: RemoteHost['open'] = async (_, onEvent) => {
    tell = onEvent
    return OPENED
  }
  expose({ open, ...host }, port2 as never)
  const worker = Object.assign(port1, { onerror: null, terminate: vi.fn(() => port1.close()) })
  const events: RemoteHostEvent[] = []
  const client = RemoteClient.open({
    url: 'ws://there',
    assets: '',
    onEvent: (event) => events.push(event),
    createWorker: () => worker as unknown as Worker,
  })
  client.catch(() => {})
  const die = (message: string) => {
    const { onerror } = worker as unknown as { onerror: (event: { message: string }) => void }
    onerror({ message })
  }
  return { client, worker, events, die, tell: (event: RemoteHostEvent) => tell(event) }
}

describe('the worker of a remote world', () => {
  it('that does not load is said so by open, and by nothing else', async () => {
    const { client, worker, events, die } = launch({ open: never })
    die('')
    await expect(client).rejects.toBeInstanceOf(WorkerFailedError)
    expect(worker.terminate).toHaveBeenCalled()
    expect(events).toEqual([])
  })

  it('that dies fails what is under way and what comes after, and is told of once', async () => {
    const { client, events, die } = launch({ step: never })
    const world = await client
    const step = world.step(IDLE)
    step.catch(() => {})
    die('out of memory')
    expect(world.gone).toBe(true)
    await expect(step).rejects.toBeInstanceOf(WorkerFailedError)
    await expect(world.snapshot()).rejects.toBeInstanceOf(WorkerFailedError)
    expect(events).toEqual([{ type: 'failed', message: expect.stringContaining('out of memory') }])
    await world.close()
  })

  it('answers nothing after close, and neither does its world', async () => {
    const { client, worker } = launch({ close: async () => ({ value: undefined }), step: never })
    const world = await client
    const step = world.step(IDLE)
    step.catch(() => {})
    await Promise.all([world.close(), world.close()])
    expect(worker.terminate).toHaveBeenCalledTimes(1)
    await expect(step).rejects.toBeInstanceOf(WorldClosedError)
    await expect(world.step(IDLE)).rejects.toThrow('step() was called after close()')
    await expect(world.readPixels()).rejects.toBeInstanceOf(WorldClosedError)
    await expect(world.setMode('lockstep')).rejects.toBeInstanceOf(WorldClosedError)
  })
})
