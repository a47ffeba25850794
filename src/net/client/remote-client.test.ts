import { afterEach, describe, expect, it, vi } from 'vitest'
import { WorldClosedError } from '../../engine/errors'
import { IDLE } from '../../engine/testing/fake-world'
import type { Snapshot } from '../../engine/world'
import { WorkerFailedError } from '../../model/errors'
import { answerCalls, type PortScope } from '../../model/port/answer-calls'
import { RemoteClient } from './remote-client'
import type { RemoteHost, RemoteHostEvent, RemoteOpened } from './remote-host'

const closing: { close(): void }[] = []
afterEach(() => {
  for (const one of closing.splice(0)) one.close()
})

const OPENED = { info: {}, manifest: null } as unknown as RemoteOpened
const never = () => new Promise<never>(() => {})

/** A worker in this thread, whose host does as a test says. */
function launch(host: Partial<RemoteHost>, signal?: AbortSignal) {
  const { port1, port2 } = new MessageChannel()
  closing.push(port1)
  let asked: (tell: (event: RemoteHostEvent) => void) => void
  const telling = new Promise<(event: RemoteHostEvent) => void>((resolve) => {
    asked = resolve
  })
  answerCalls<RemoteHostEvent>(port2 as unknown as PortScope, (tell) => ({
    ...host,
    open: (options: Parameters<RemoteHost['open']>[0]) => {
      asked(tell)
      return host.open?.(options) ?? Promise.resolve(OPENED)
    },
  }))
  const worker = Object.assign(port1, { onerror: null, terminate: vi.fn(() => port1.close()) })
  const events: RemoteHostEvent[] = []
  const client = RemoteClient.open({
    ...{ url: 'ws://there', assets: '', signal },
    onEvent: (event) => events.push(event),
    createWorker: () => worker as unknown as Worker,
  })
  client.catch(() => {})
  const die = (message: string) => {
    const { onerror } = worker as unknown as { onerror: (event: { message: string }) => void }
    onerror({ message })
  }
  return { client, worker, events, die, telling }
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
    const { client, worker } = launch({ close: async () => {}, step: never })
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

  it('ends with the wish to wait for a seat, and tells nothing more', async () => {
    const wish = new AbortController()
    const { client, worker, events, telling } = launch({ open: never }, wish.signal)
    const tell = await telling
    tell({ type: 'waiting', message: 'You are number 2.' })
    await vi.waitFor(() => expect(events).toHaveLength(1), 10_000)
    wish.abort(new Error('not any more'))
    tell({ type: 'waiting', message: 'You are number 1.' })
    await expect(client).rejects.toThrow('not any more')
    expect(worker.terminate).toHaveBeenCalled()
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(events).toHaveLength(1)
  })

  it('is left alone by that wish once there is a seat', async () => {
    const wish = new AbortController()
    const { client, worker } = launch({ snapshot: async () => ({}) as Snapshot }, wish.signal)
    const world = await client
    wish.abort()
    expect(worker.terminate).not.toHaveBeenCalled()
    expect(await world.snapshot()).toEqual({})
  })
})

it('a server that does not answer leaves what was seen last', async () => {
  const seen = { tick: 7 } as Snapshot
  const { client, telling } = launch({ seen: async () => seen })
  const world = await client
  const tell = await telling
  const states: (Snapshot | null)[] = []
  const silent = world.whenSilent().then((state) => states.push(state))
  tell({ type: 'reconnected', message: 'The server is back.' })
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(states).toEqual([])
  tell({ type: 'disconnected', message: 'The server does not answer.' })
  await silent
  expect(states).toEqual([seen])
  expect(await world.whenSilent()).toEqual(seen)
})

it('a change of mode that is taken back at once reaches the server twice', async () => {
  const heard: string[] = []
  const setMode: RemoteHost['setMode'] = async (mode) => {
    heard.push(mode)
  }
  const world = await launch({ setMode }).client
  await Promise.all([world.setMode('lockstep'), world.setMode('realtime'), world.setMode('realtime')])
  expect(heard).toEqual(['lockstep', 'realtime'])
})
