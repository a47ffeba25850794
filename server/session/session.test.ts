import { describe, expect, it } from 'vitest'
import { OneiroError } from '../../src/engine/errors'
import { FakeTime, settle } from '../../src/engine/testing/fake-time'
import type { ClientMessage, FrameMessage, Hello, ServerMessage } from '../../src/net/protocol/messages'
import { decodeServer } from '../../src/net/protocol/wire'
import { Meters } from '../monitoring/meters'
import { FakeEngine } from '../testing/servers'
import type { Channel } from './connection'
import { Scheduler } from './scheduler'
import { MOST_REQUESTS, Session } from './session'
import type { SessionState } from './session-states'

class FakeLine implements Channel {
  readonly messages: ServerMessage[] = []
  closed: string | null | undefined
  send(bytes: Uint8Array): void {
    this.messages.push(decodeServer(bytes.slice()))
  }
  close(code: string | null): void {
    this.closed = code
  }
  get frames(): FrameMessage[] {
    return this.messages.filter((message) => message.type === 'frame')
  }
}

type Words = Exclude<ClientMessage, { type: 'hello' }>

async function started(mode: Hello['mode'] = 'realtime') {
  const time = new FakeTime()
  const engine = new FakeEngine()
  const scheduler = new Scheduler(engine, 50, time)
  const states: SessionState[] = []
  const errors: unknown[] = []
  const session = new Session({
    ...{ id: 'a', engine, scheduler, time, meters: new Meters() },
    onState: ({ state }) => states.push(state),
    onError: (error) => errors.push(error),
  })
  const line = new FakeLine()
  const hello: Hello = { formats: ['latents'], mode }
  session.attach(line, hello, 'latents')
  session.handle({ type: 'reset', request: 1, body: { seed: 1 } })
  await settle()
  scheduler.start()
  const sweeping = async () => {
    for (;;) {
      await time.sleep(100)
      session.sweep(time.now())
    }
  }
  void sweeping()
  const say = (message: Words) => session.handle(message)
  /** Plays on, with a client that is alive and acknowledges all that it gets. */
  const play = async (ms: number) => {
    for (let i = 0; i < ms; i += 50) {
      await time.run(50)
      say({ type: 'heartbeat', sentAtMs: time.now() })
      say({ type: 'ack', sequence: line.frames.at(-1)?.sequence ?? 0 })
    }
  }
  return { time, engine, session, line, hello, states, errors, say, play }
}

/** What a fake frame shows: the action that made it. */
const slideOf = (frame: FrameMessage) => frame.payload[0]! - 1

describe('realtime', () => {
  it('plays by itself, under the newest action, and gives its clock back', async () => {
    const { line, say, play } = await started()
    await play(100)
    say({ type: 'action', code: 7, sequence: 1, sentAtMs: 111 })
    say({ type: 'action', code: 1, sequence: 2, sentAtMs: 222 })
    say({ type: 'action', code: 7, sequence: 1, sentAtMs: 333 })
    await play(50)
    expect(slideOf(line.frames.at(-1)!)).toBe(-1)
    expect(line.frames.at(-1)!.echoMs).toBe(222)
    expect(line.frames.map(({ tick }) => tick)).toEqual(line.frames.map((_, i) => i))
  })

  it('sends at most three frames that are not acknowledged, counts the rest, and the world goes on', async () => {
    const { line, time, say } = await started()
    await time.run(1000)
    // The reset's own frame is one of them.
    expect(line.frames).toHaveLength(3)
    say({ type: 'ack', sequence: 3 })
    await time.run(50)
    expect(line.frames).toHaveLength(4)
    const newest = line.frames[3]!
    expect(newest.skipped).toBe(newest.tick - 3)
    expect(newest.tick).toBeGreaterThan(20)
  })

  it('an ack of what was never sent acknowledges no more than was', async () => {
    const { line, time, say } = await started()
    say({ type: 'ack', sequence: 0xffff_ffff })
    await time.run(1000)
    expect(line.frames).toHaveLength(4)
  })

  it('releases held keys two seconds after the last sign of life', async () => {
    const { line, time, say, play } = await started()
    say({ type: 'action', code: 7, sequence: 1, sentAtMs: 1 })
    await play(1000)
    const acked = async (ms: number) => {
      for (let i = 0; i < ms; i += 50) {
        await time.run(50)
        say({ type: 'ack', sequence: line.frames.at(-1)!.sequence })
      }
    }
    await acked(1900)
    expect(slideOf(line.frames.at(-1)!)).toBe(1)
    await acked(250)
    expect(slideOf(line.frames.at(-1)!)).toBe(0)
  })

  it('a reset releases held keys and begins another epoch', async () => {
    const { line, say, play } = await started()
    say({ type: 'action', code: 7, sequence: 1, sentAtMs: 1 })
    await play(100)
    say({ type: 'reset', request: 2, body: { seed: 2 } })
    await settle()
    // The same comes by a further connection, later.
    say({ type: 'action', code: 7, sequence: 1, sentAtMs: 1 })
    await play(100)
    const after = line.frames.filter(({ epoch }) => epoch === 2)
    expect(after[0]).toMatchObject({ request: 2, tick: 0 })
    expect(after.slice(1).map(slideOf)).toEqual([0, 0])
  })

  it('answers heartbeats, so that a client knows its server is there', async () => {
    const { line, say } = await started()
    say({ type: 'heartbeat', sentAtMs: 42 })
    expect(line.messages.at(-1)).toEqual({ type: 'pong', echoMs: 42 })
  })
})

describe('lockstep', () => {
  it('a step is a question and its answer', async () => {
    const { line, time, say } = await started('lockstep')
    await time.run(500)
    expect(line.frames).toHaveLength(1)
    say({ type: 'step', request: 2, code: 7, sentAtMs: 7 })
    await settle()
    expect(line.frames[1]).toMatchObject({ request: 2, tick: 1, echoMs: 7 })
  })

  it('requests are carried out in order, and too many are refused one by one', async () => {
    const { line, say, engine, session } = await started('lockstep')
    for (let request = 2; request < 2 + MOST_REQUESTS + 2; request++) {
      say({ type: 'step', request, code: 4, sentAtMs: 0 })
    }
    // Those that wait have yet to be carried out, here or by another worker.
    expect((await session.savedNow()).request).toBeLessThan(10)
    for (let i = 0; i < 30; i++) await settle()
    expect(engine.steps).toHaveLength(MOST_REQUESTS)
    expect(line.messages.filter(({ type }) => type === 'error')).toMatchObject([
      { request: 10, body: { code: 'BUSY' } },
      { request: 11, body: { code: 'BUSY' } },
    ])
    expect(line.frames.slice(1).map(({ request }) => request)).toEqual([2, 3, 4, 5, 6, 7, 8, 9])
  })

  it('an action that the world does not have is refused in a sentence, and play goes on', async () => {
    const { line, say } = await started('lockstep')
    say({ type: 'step', request: 2, code: 9, sentAtMs: 0 })
    say({ type: 'step', request: 3, code: 8, sentAtMs: 0 })
    for (let i = 0; i < 8; i++) await settle()
    expect(line.messages.find(({ type }) => type === 'error')).toMatchObject({
      request: 2,
      body: { code: 'BAD_INPUT', message: expect.stringMatching(/actions 0 to 8, but 9 came/) },
    })
    expect(line.frames.at(-1)).toMatchObject({ request: 3, tick: 1 })
  })

  it('a step in real time is refused in a sentence', async () => {
    const { line, say } = await started('realtime')
    say({ type: 'step', request: 2, code: 4, sentAtMs: 0 })
    await settle()
    const error = line.messages.find(({ type }) => type === 'error')
    expect(error).toMatchObject({ request: 2, body: { code: 'BAD_INPUT' } })
  })
})

describe('a connection that is lost', () => {
  it('stops the world, and the client takes it up at the same tick', async () => {
    const { session, line, hello, time, engine, play, states } = await started()
    await play(200)
    const { tick } = engine.dreams.get('a')!
    session.detach(line)
    await time.run(30_000)
    expect(engine.dreams.get('a')!.tick).toBe(tick)
    const again = new FakeLine()
    session.attach(again, hello, 'latents')
    await time.run(50)
    expect(again.frames[0]).toMatchObject({ tick: tick + 1, epoch: 1 })
    expect(states).toEqual(['active', 'detached', 'active'])
  })

  it('frees the session after 60 seconds, and not before', async () => {
    const { session, line, time, engine } = await started()
    session.detach(line)
    await time.run(59_800)
    expect(session.state).toBe('detached')
    await time.run(300)
    expect(session.state).toBe('closed')
    expect(engine.dreams.size).toBe(0)
  })

  it('a request that was carried out but not answered is answered again, and not carried out again', async () => {
    const { session, line, hello, engine, say } = await started('lockstep')
    session.detach(line)
    say({ type: 'step', request: 2, code: 7, sentAtMs: 0 })
    await settle()
    const again = new FakeLine()
    session.attach(again, hello, 'latents')
    say({ type: 'step', request: 2, code: 7, sentAtMs: 0 })
    say({ type: 'step', request: 3, code: 7, sentAtMs: 0 })
    await settle()
    expect(again.frames.map(({ request, tick }) => [request, tick])).toEqual([
      [2, 1],
      [3, 2],
    ])
    expect(engine.steps).toHaveLength(2)
  })

  it('another connection takes over from one that only seems to live', async () => {
    const { session, line, hello, play } = await started()
    await play(100)
    const again = new FakeLine()
    session.attach(again, hello, 'latents')
    expect(line.closed).toBe('SESSION_TAKEN')
    session.detach(line)
    expect(session.state).toBe('active')
  })

  it('another connection that takes over does not hold the keys of the one before', async () => {
    const { session, line, hello, time, play, say } = await started()
    say({ type: 'action', code: 7, sequence: 1, sentAtMs: 1 })
    await play(100)
    expect(slideOf(line.frames.at(-1)!)).toBe(1)
    const again = new FakeLine()
    session.attach(again, hello, 'latents')
    await time.run(100)
    expect(again.frames.map(slideOf)).toEqual([0, 0])
  })
})

describe('words', () => {
  /** An engine whose words wait until a test lets them go. */
  async function speaking() {
    const all = await started('lockstep')
    const asked: { text: string; go: () => void; drop: () => void }[] = []
    all.engine.embed = (_session, text) =>
      new Promise((resolve, reject) => {
        const go = () => resolve({ text, embedding: Float32Array.of(1) })
        asked.push({ text, go, drop: () => reject(new OneiroError('WORDS_DROPPED', 'gone')) })
      })
    const hushed: string[] = []
    all.engine.hush = async (session) => void hushed.push(session)
    return { ...all, asked, hushed }
  }

  it('hold up no checkpoint, and what is written down is from before them', async () => {
    const { session, say, asked, engine } = await speaking()
    say({ type: 'prompt', request: 2, body: { text: 'fog' } })
    say({ type: 'prompt', request: 3, body: { text: 'rain' } })
    await settle()
    expect((await session.saved()).request).toBe(1)
    expect(asked.map(({ text }) => text)).toEqual(['fog'])
    asked[0]!.go()
    await settle()
    expect((await session.saved()).request).toBe(2)
    asked[1]!.go()
    await settle()
    expect([engine.prompts, (await session.saved()).request]).toEqual([['fog', 'rain'], 3])
  })

  it('come before what was asked for behind them', async () => {
    const { say, asked, line, engine } = await speaking()
    say({ type: 'reset', request: 2, body: { seed: 2, prompt: 'fog' } })
    say({ type: 'step', request: 3, code: 7, sentAtMs: 0 })
    await settle()
    expect(engine.steps).toHaveLength(0)
    asked[0]!.go()
    await settle()
    await settle()
    expect(line.frames.map(({ request, epoch, tick }) => [request, epoch, tick])).toEqual([
      [1, 1, 0],
      [2, 2, 0],
      [3, 2, 1],
    ])
  })

  it('of a client that lost its connection wait until it is back', async () => {
    const { session, line, hello, say, asked, hushed, engine } = await speaking()
    say({ type: 'prompt', request: 2, body: { text: 'fog' } })
    await settle()
    session.detach(line)
    expect(hushed).toEqual(['a'])
    asked[0]!.drop()
    await settle()
    expect(asked).toHaveLength(1)
    const again = new FakeLine()
    session.attach(again, hello, 'latents')
    await settle()
    expect(asked.map(({ text }) => text)).toEqual(['fog', 'fog'])
    asked[1]!.go()
    await settle()
    expect([engine.prompts, again.messages.at(-1)]).toEqual([['fog'], { type: 'heard', request: 2, tick: 0 }])
  })

  it('of a client that left are not encoded', async () => {
    const { session, line, say, asked, engine, time } = await speaking()
    session.detach(line)
    say({ type: 'prompt', request: 2, body: { text: 'fog' } })
    await settle()
    await time.run(61_000)
    expect([session.state, asked, engine.prompts]).toEqual(['closed', [], []])
  })

  it('before there is a drive are refused unread', async () => {
    const time = new FakeTime()
    const engine = new FakeEngine()
    const session = new Session({
      ...{ id: 'b', engine, scheduler: new Scheduler(engine, 50, time), time, meters: new Meters() },
      onState: () => {},
      onError: () => {},
    })
    const line = new FakeLine()
    let asked = 0
    engine.embed = async (_session, text) => {
      asked++
      return { text, embedding: Float32Array.of(1) }
    }
    session.attach(line, { formats: ['latents'], mode: 'lockstep' }, 'latents')
    session.handle({ type: 'prompt', request: 1, body: { text: 'fog' } })
    await settle()
    expect([asked, line.messages.at(-1)]).toMatchObject([0, { type: 'error', body: { code: 'NOT_READY' } }])
  })
})

describe('the end', () => {
  it('bye frees everything at once', async () => {
    const { session, line, engine, say } = await started()
    say({ type: 'bye' })
    expect([session.state, line.closed, engine.dreams.size]).toEqual(['closed', null, 0])
  })

  it('bye in the middle of a reset frees what the reset makes', async () => {
    const { engine, say, session } = await started('lockstep')
    const { reset } = engine
    let go = () => {}
    engine.reset = async (...args) => {
      await new Promise<void>((resolve) => {
        go = resolve
      })
      return reset.apply(engine, args)
    }
    say({ type: 'reset', request: 2, body: { seed: 2 } })
    await settle()
    say({ type: 'bye' })
    go()
    await settle()
    expect([session.state, engine.dreams.size]).toEqual(['closed', 0])
  })

  it('an engine that fails ends the session in a sentence', async () => {
    const { engine, line, errors, play, session } = await started()
    engine.step = async () => {
      throw new Error('out of memory')
    }
    await play(100)
    expect([session.state, line.closed, errors.length]).toEqual(['closed', 'SERVER_FAILED', 1])
  })

  it('a failure that is no fault of the client is told without its details', async () => {
    const { engine, line, errors, say } = await started('lockstep')
    engine.reset = async () => {
      throw new Error('/secret/path')
    }
    say({ type: 'reset', request: 2, body: { seed: 1 } })
    await settle()
    expect(JSON.stringify(line.messages.at(-1))).not.toContain('secret')
    expect(line.messages.at(-1)).toMatchObject({ type: 'error', body: { code: 'SERVER_FAILED' } })
    expect(errors).toHaveLength(1)
  })
})
