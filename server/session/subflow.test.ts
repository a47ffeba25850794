import { afterEach, describe, expect, it } from 'vitest'
import { FakeTime, settle } from '../../src/engine/testing/fake-time'
import { ACTIONS } from '../../src/engine/testing/fake-world'
import type { Welcome } from '../../src/net/protocol/messages'
import { DreamServer } from '../server'
import { closeServer, FakeEngine, FakeSocket, helloOf } from '../testing/servers'

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

async function played() {
  const time = new FakeTime()
  const engine = new FakeEngine()
  const server = await DreamServer.start({ engine, host: '127.0.0.1', port: 0, time, token: 'a-long-token' })
  closing.push(() => closeServer(server, time))
  const join = (hello: Parameters<typeof helloOf>[0]) => {
    const socket = new FakeSocket(server)
    socket.say(helloOf(hello))
    return socket
  }
  const player = join({ mode: 'realtime', token: 'a-long-token' })
  const { subflow, resume } = welcomeOf(player)
  player.say({ type: 'reset', request: 1, body: { seed: 1 } })
  await settle()
  return { time, engine, server, player, join, key: subflow!, resume: resume! }
}

function welcomeOf({ messages }: FakeSocket): Welcome {
  const first = messages[0]!
  if (first.type !== 'welcome') throw new Error(`a welcome was expected, but ${first.type} came`)
  return first.body
}

const ticksOf = ({ frames }: FakeSocket) =>
  frames.filter(({ request }) => request === 0).map(({ tick }) => tick)

describe('a subflow', () => {
  it('gets the frames of realtime play, and what it says counts as if the first had said it', async () => {
    const { time, engine, server, player, join, key } = await played()
    const beside = join({ subflow: key })
    expect(welcomeOf(beside)).toMatchObject({ format: 'webp', resumed: false })
    expect(welcomeOf(beside).resume).toBeUndefined()
    beside.say({ type: 'action', code: 8, sequence: 2, sentAtMs: 7 })
    player.say({ type: 'action', code: 0, sequence: 1, sentAtMs: 3 }) // overtaken
    await time.run(120)
    expect(ticksOf(beside)).toEqual(ticksOf(player))
    expect(ticksOf(beside).length).toBeGreaterThan(1)
    expect(engine.steps.flat().at(-1)!.action).toEqual(ACTIONS[8])
    expect(beside.frames.at(-1)!.echoMs).toBe(7)
    expect(server.sessions.size).toBe(1)

    // Three are on their way; an acknowledgement by either way makes room.
    await time.run(200)
    const before = ticksOf(player).length
    beside.say({ type: 'ack', sequence: player.frames.at(-1)!.sequence })
    await time.run(100)
    expect(ticksOf(player).length).toBeGreaterThan(before)
  })

  it('keeps keys held while the first connection says nothing', async () => {
    const { time, engine, join, key } = await played()
    const beside = join({ subflow: key })
    for (let i = 1; i < 30; i++) {
      beside.say({ type: 'action', code: 8, sequence: i, sentAtMs: i })
      await time.run(100)
    }
    expect(engine.steps.flat().at(-1)!.action).toEqual(ACTIONS[8])
  })

  it('may ask for nothing, and hears of its heartbeats by itself', async () => {
    const { player, join, key } = await played()
    const beside = join({ subflow: key })
    const pongs = ({ messages }: FakeSocket) => messages.filter(({ type }) => type === 'pong').length
    beside.say({ type: 'heartbeat', sentAtMs: 5 })
    expect([pongs(beside), pongs(player)]).toEqual([1, 0])
    beside.say({ type: 'snapshot', request: 2 })
    expect(beside.closed).toBe('4412 UNEXPECTED_MESSAGE')
    expect(player.closed).toBeNull()
  })

  it('can leave without the session', async () => {
    const { time, server, player, join, key } = await played()
    const beside = join({ subflow: key })
    beside.say({ type: 'bye' })
    await time.run(100)
    expect([beside.closed, player.closed, server.sessions.size]).toEqual(['1000 ', null, 1])
  })

  it('is refused beyond two, with a key that nobody gave, and once its session is away', async () => {
    const { player, join, key } = await played()
    const both = [join({ subflow: key }), join({ subflow: key })]
    expect(join({ subflow: key }).closed).toMatch(/SERVER_FULL/)
    expect(join({ subflow: 'guessed' }).closed).toMatch(/SESSION_GONE/)
    player.terminate()
    await settle()
    expect(both.map(({ closed }) => closed)).toEqual(['1000 ', '1000 '])
    expect(join({ subflow: key }).closed).toMatch(/SESSION_GONE/)
  })

  it('ends with the connection that it was beside; the next has a key of its own', async () => {
    const { join, key, resume, server } = await played()
    const beside = join({ subflow: key })
    const again = join({ mode: 'realtime', resume })
    await settle()
    expect(beside.closed).toBe('1000 ')
    expect(join({ subflow: key }).closed).toMatch(/SESSION_GONE/)
    const other = join({ subflow: welcomeOf(again).subflow! })
    expect(other.closed).toBeNull()
    again.say({ type: 'bye' })
    await settle()
    expect([other.closed, server.sessions.size]).toEqual(['1000 ', 0])
  })
})
