import { afterEach, describe, expect, it } from 'vitest'
import { FakeTime, settle } from '../../src/engine/testing/fake-time'
import { DreamServer, type ServeOptions } from '../server'
import { closeServer, FakeEngine, FakeSocket, helloOf, RawClient } from '../testing/servers'
import { Reservations, SEAT_MS } from './reservations'

const TOKEN = 'a-token-of-some-length'
const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

async function serve(options: Partial<ServeOptions> = {}) {
  const server = await DreamServer.start({ engine: new FakeEngine(), host: '127.0.0.1', port: 0, ...options })
  closing.push(() => closeServer(server, options.time))
  return server
}

function ask(server: DreamServer, path: string, method: string, headers: Record<string, string> = {}) {
  return fetch(`http://127.0.0.1:${server.port}${path}`, { method, headers })
}

const bearer = { authorization: `Bearer ${TOKEN}` }

describe('seats that are kept', () => {
  it('are known by their tokens, once, until their time is over', () => {
    const seats = new Reservations()
    const [a, b] = [seats.keep(0), seats.keep(1000)]
    expect([seats.has(a, 0), seats.has(b, SEAT_MS - 1), seats.has('guess', 0)]).toEqual([true, true, false])
    expect([seats.has(a, SEAT_MS), seats.expire(SEAT_MS - 1), seats.size]).toEqual([false, false, 2])
    expect([seats.expire(SEAT_MS), seats.size, seats.has(b, SEAT_MS)]).toEqual([true, 1, true])
    seats.take(b)
    expect([seats.size, seats.has(b, SEAT_MS)]).toEqual([0, false])
    expect(a.length).toBeGreaterThanOrEqual(43)
  })

  it('let in whoever brings the token, once, and without that of the server', async () => {
    const server = await serve({ token: TOKEN, maxSessions: 2 })
    const answer = await ask(server, '/seats', 'POST', bearer)
    expect([answer.status, answer.headers.get('content-type')]).toEqual([
      201,
      'application/json; charset=utf-8',
    ])
    const { seat, expires } = await answer.json()
    expect(expires).toBe(30)
    const first = new RawClient(server)
    expect(await first.hello({ seat })).toMatchObject({ type: 'welcome', body: { resumed: false } })
    expect(await new RawClient(server).hello({ seat })).toBe('4410 SEAT_GONE')
    // What the welcome gave opens the session again, as it does for everybody.
    const { resume } = (await first.first('welcome')).body
    first.socket.terminate()
    await first.closed
    expect(await new RawClient(server).hello({ seat, resume })).toMatchObject({ body: { resumed: true } })
  })

  it('are held free until their time is over, and go to the line then', async () => {
    const time = new FakeTime()
    const server = await serve({ time, maxSessions: 1 })
    const { seat } = await server.sessions.keepSeat()
    await expect(server.sessions.keepSeat()).rejects.toMatchObject({ code: 'SERVER_FULL' })
    const waiting = new FakeSocket(server)
    waiting.say(helloOf())
    expect(waiting.messages).toMatchObject([{ type: 'waiting', position: 1 }])
    for (let ms = 0; ms < SEAT_MS + 500; ms += 5000) {
      waiting.say({ type: 'heartbeat', sentAtMs: time.now() })
      await time.run(5000)
    }
    expect(waiting.messages.map(({ type }) => type)).toContain('welcome')
    const late = new FakeSocket(server)
    late.say(helloOf({ seat }))
    expect(late.closed).toBe('4410 SEAT_GONE')
  })

  it('are not used up by a client that cannot play', async () => {
    const server = await serve()
    const { seat } = await server.sessions.keepSeat()
    const wrong = new FakeSocket(server)
    wrong.say(helloOf({ seat, formats: ['latents'], decoderHash: 'another' }))
    expect(wrong.closed).toBe('4406 NO_COMMON_FORMAT')
    const right = new FakeSocket(server)
    right.say(helloOf({ seat }))
    expect(right.messages[0]!.type).toBe('welcome')
  })
})

describe('what is answered over HTTP', () => {
  it.each([
    ['health', 'GET', '/healthz', {}, 200],
    ['readiness', 'GET', '/readyz', {}, 200],
    ['metrics with the token', 'GET', '/metrics', bearer, 200],
    ['metrics without', 'GET', '/metrics', {}, 401],
    ['metrics with another', 'GET', '/metrics', { authorization: 'Bearer guess' }, 401],
    ['a seat without', 'POST', '/seats', {}, 401],
    ['a seat by a page of a stranger', 'POST', '/seats', { ...bearer, origin: 'https://evil.example' }, 403],
    ['seats', 'GET', '/seats', bearer, 404],
    ['anything else', 'GET', '/', bearer, 404],
  ])('%s', async (_what, method, path, headers, status) => {
    const server = await serve({ token: TOKEN })
    const answer = await ask(server, path, method, headers)
    expect(answer.status).toBe(status)
    expect(answer.headers.get('www-authenticate')).toBe(status === 401 ? 'Bearer' : null)
  })

  it('where no token is asked for, metrics and seats are open to this machine', async () => {
    const server = await serve({ maxSessions: 1 })
    expect((await ask(server, '/metrics', 'GET')).status).toBe(200)
    expect((await ask(server, '/seats', 'POST')).status).toBe(201)
    const full = await ask(server, '/seats', 'POST')
    expect([full.status, (await full.json()).code]).toEqual([503, 'SERVER_FULL'])
    expect(await (await ask(server, '/metrics', 'GET')).text()).toContain('oneiro_seats_kept 1')
    await settle()
  })
})
