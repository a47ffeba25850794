/** Who says nothing has a room of its own. */
import { EventEmitter } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { FakeTime } from '../../src/engine/testing/fake-time'
import { encodeClient } from '../../src/net/protocol/wire'
import { DreamServer } from '../server'
import { CLOSING_MS } from '../session/connection'
import { closeServer, FakeEngine, FakeSocket, helloOf, RawClient } from '../testing/servers'
import { MOST_STRANGERS, networkOf, Strangers } from './strangers'

const closing: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

class FakeStranger extends EventEmitter {
  destroyed = false
  constructor(readonly remoteAddress: string) {
    super()
  }
  destroy(): this {
    this.destroyed = true
    this.emit('close')
    return this
  }
}

function crowd(most: number) {
  const counted = { times: 0 }
  const strangers = new Strangers(() => counted.times++, most)
  const come = (address: string) => {
    const socket = new FakeStranger(address)
    strangers.meet(socket as never)
    return socket
  }
  return { counted, strangers, come }
}

describe('strangers', () => {
  it('make room for each other: the oldest of the address that has most', () => {
    const { strangers, come, counted } = crowd(4)
    const [quiet, first, second] = [come('10.0.0.9'), come('10.0.0.1'), come('10.0.0.1')]
    come('10.0.0.2')
    const last = come('10.0.0.3')
    expect([quiet, first, second, last].map((one) => one.destroyed)).toEqual([false, true, false, false])
    expect([strangers.size, counted.times]).toEqual([4, 1])
  })

  it('who has shown a key is none any more, and who left is forgotten', () => {
    const { strangers, come } = crowd(2)
    const [known, gone] = [come('a'), come('a')]
    strangers.know(known as never)
    gone.destroy()
    expect(strangers.size).toBe(0)
    for (let i = 0; i < 5; i++) come('a')
    expect(known.destroyed).toBe(false)
    strangers.meet(gone as never)
    expect(strangers.size).toBe(2)
  })

  it.each([
    ['::ffff:10.1.2.3', '10.1.2.3'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:db8:1:2::9', '2001:db8:1:2'],
    ['2001:db8::1', '2001:db8:0:0'],
    ['::1', '0:0:0:0'],
    ['fe80::1%eth0', 'fe80:0:0:0'],
  ])('%s belongs to %s', (address, network) => {
    expect(networkOf(address)).toBe(network)
  })
})

const TOKEN = 'a-token-of-some-length'

/** Sockets over TCP that say nothing, or the first half of a request. */
function flood(port: number, count: number, words = ''): Socket[] {
  const sockets = Array.from({ length: count }, () => {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => {})
    if (words) socket.write(words)
    return socket
  })
  closing.push(() => {
    for (const socket of sockets) socket.destroy()
  })
  return sockets
}

const UPGRADE = [
  'GET / HTTP/1.1',
  'Host: localhost',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  '',
  '',
].join('\r\n')

describe('a flood of sockets that say nothing', () => {
  it.each([
    ['at all', ''],
    ['but half a request', 'GET /healthz HTTP/1.1\r\nHost: loc'],
    ['after the upgrade', UPGRADE],
  ])('%s leaves room for newcomers, for who comes back and for /healthz', async (_what, words) => {
    const server = await DreamServer.start({
      ...{ engine: new FakeEngine(), host: '127.0.0.1', port: 0, token: TOKEN, maxSessions: 40 },
    })
    closing.push(() => server.close())
    const player = new RawClient(server)
    const welcome = await player.hello({ token: TOKEN })
    if (typeof welcome === 'string' || welcome.type !== 'welcome') throw new Error('no welcome')
    let { resume } = welcome.body
    const steady = new RawClient(server)
    await steady.hello({ token: TOKEN })
    for (let round = 0; round < 10; round++) {
      flood(server.port, 60, words)
      const guest = new RawClient(server)
      expect(await guest.hello({ token: TOKEN })).toMatchObject({ type: 'welcome' })
      const back = new RawClient(server)
      const again = await back.hello({ resume })
      if (typeof again === 'string' || again.type !== 'welcome') throw new Error(`not let back in: ${again}`)
      resume = again.body.resume
      guest.say({ type: 'bye' })
      steady.say({ type: 'heartbeat', sentAtMs: round })
      const health = await fetch(`http://127.0.0.1:${server.port}/healthz`)
      expect([health.status, await health.text()]).toEqual([200, 'ok\n'])
    }
    expect(steady.socket.readyState).toBe(WebSocket.OPEN)
    const metrics = await fetch(`http://127.0.0.1:${server.port}/metrics`, {
      headers: { authorization: `Bearer ${TOKEN}` },
    })
    const text = await metrics.text()
    expect(Number(text.match(/^oneiro_strangers (\d+)$/m)![1])).toBeLessThanOrEqual(MOST_STRANGERS)
    expect(server.sessions.size).toBeGreaterThanOrEqual(1)
  })
})

describe('a connection that was ended', () => {
  async function refused() {
    const time = new FakeTime()
    const server = await DreamServer.start({
      ...{ engine: new FakeEngine(), host: '127.0.0.1', port: 0, token: TOKEN, time },
    })
    closing.push(() => closeServer(server, time))
    return { time, server }
  }

  /** One that does not answer the close. */
  class Stubborn extends FakeSocket {
    terminated = false
    override close(code: number, reason = ''): void {
      this.closed ??= `${code} ${reason}`
    }
    override terminate(): void {
      this.terminated = true
      this.emit('close', 1006, Buffer.alloc(0))
    }
  }

  it.each([
    ['a wrong token', (socket: FakeSocket) => socket.say(helloOf({ token: 'guess' }))],
    ['rubbish', (socket: FakeSocket) => socket.sayBytes(Uint8Array.of(99))],
    ['silence', () => {}],
  ])('for %s is gone within half a second, whatever its client does', async (_what, say) => {
    const { time, server } = await refused()
    const socket = new Stubborn(server)
    say(socket)
    if (socket.closed === null) await time.run(5_250)
    await time.run(CLOSING_MS + 250)
    expect([socket.terminated, server.openConnections]).toEqual([true, 0])
  })

  it.each([
    ['messages', (socket: FakeSocket) => socket.sayBytes(new Uint8Array(100))],
    ['pings', (socket: FakeSocket) => socket.emit('ping', Buffer.alloc(0))],
    ['pongs', (socket: FakeSocket) => socket.emit('pong', Buffer.alloc(0))],
  ])('is not read any more where it goes on with %s', async (_what, go) => {
    const { server } = await refused()
    const socket = new Stubborn(server)
    socket.sayBytes(Uint8Array.of(99))
    for (let i = 0; i < 8; i++) {
      expect(socket.paused).toBe(false)
      go(socket)
    }
    expect(socket.paused).toBe(true)
  })

  it('over a real socket that floods is gone soon', async () => {
    const server = await DreamServer.start({
      ...{ engine: new FakeEngine(), host: '127.0.0.1', port: 0, token: TOKEN },
    })
    closing.push(() => server.close())
    const client = new WebSocket(`ws://127.0.0.1:${server.port}`)
    client.on('error', () => {})
    await new Promise((resolve) => client.on('open', resolve))
    const beganMs = performance.now()
    const flooding = setInterval(() => {
      for (let i = 0; i < 50 && client.readyState === client.OPEN; i++) client.ping()
      client.send(encodeClient({ type: 'heartbeat', sentAtMs: 0 }), () => {})
    }, 1)
    closing.push(() => clearInterval(flooding))
    await expect.poll(() => server.openConnections, { timeout: 10_000 }).toBe(0)
    expect(performance.now() - beganMs).toBeLessThan(5_000)
  })
})

it('a client that pings without end is ended', async () => {
  const time = new FakeTime()
  const server = await DreamServer.start({ engine: new FakeEngine(), host: '127.0.0.1', port: 0, time })
  closing.push(() => closeServer(server, time))
  const socket = new FakeSocket(server)
  socket.say(helloOf())
  for (let i = 0; i < 100; i++) socket.emit('ping', Buffer.alloc(0))
  expect(socket.closed).toBe('4429 TOO_MANY_MESSAGES')
})
