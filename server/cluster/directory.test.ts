/** One contract for all directories: the same sentences hold in memory and in Redis. */
import { afterEach, describe, expect, it } from 'vitest'
import { FakeTime } from '../../src/engine/testing/fake-time'
import { endChildren, NO_REDIS, REDIS, RedisChild } from '../testing/children'
import { type Entry, type SessionDirectory, SILENT_WORKER_MS, type Worker } from './directory'
import { MemoryDirectory, MemoryStore } from './memory-directory'
import { RedisDirectory } from './redis-directory'

/** Workers a, b, c, ... of one group, and a way to let time pass. */
interface Kind {
  worker(id: string, slots?: number, url?: string): SessionDirectory
  pass(ms: number): Promise<void>
}

const opened: SessionDirectory[] = []
afterEach(async () => {
  for (const directory of opened.splice(0)) await directory.close()
  await endChildren()
})

const me = (id: string, slots: number, url = `ws://${id}:7700`): Worker => ({ id, slots, url })

async function inMemory(): Promise<Kind> {
  const time = new FakeTime()
  const store = new MemoryStore(time)
  return {
    worker: (id, slots = 4, url) => new MemoryDirectory(me(id, slots, url), store),
    pass: (ms) => time.run(ms),
  }
}

async function inRedis(): Promise<Kind> {
  const { url: address } = await RedisChild.start()
  return {
    worker: (id, slots = 4, url) => {
      const directory = new RedisDirectory(address, 'tiny:model', me(id, slots, url))
      opened.push(directory)
      return directory
    },
    pass: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  }
}

const entry = (rest: Partial<Entry> = {}): Entry => ({
  ...{ id: 'drive', generation: 0, keys: ['key'], watch: 'watch', saved: Uint8Array.of(0, 255, 10) },
  ...rest,
})

/** Redis is connected to in the background. */
async function beating(directory: SessionDirectory, free = 4): Promise<SessionDirectory> {
  await expect.poll(() => directory.heartbeat({ free }).catch(() => null), { timeout: 20_000 }).not.toBeNull()
  return directory
}

function contract(open: () => Promise<Kind>): void {
  async function two() {
    const kind = await open()
    const [a, b] = [await beating(kind.worker('a')), await beating(kind.worker('b'))]
    return { ...kind, a, b }
  }
  const ids = async (directory: SessionDirectory) => (await directory.list()).map(({ id }) => id).sort()

  it('lists who lives, with its room; who is silent for 2 s is dead', async () => {
    const { a, b, pass } = await two()
    await b.heartbeat({ free: 1 })
    expect(await a.list()).toContainEqual({ id: 'b', url: 'ws://b:7700', slots: 4, free: 1, draining: false })
    await pass(SILENT_WORKER_MS / 4)
    expect(await ids(a)).toEqual(['a', 'b'])
    await a.heartbeat({ free: 4 })
    await pass((SILENT_WORKER_MS * 3) / 4 + 100)
    expect(await ids(a)).toEqual(['a'])
    await a.close()
    expect(await ids(b)).toEqual([])
  })

  it('reserves where most is free, never twice the same slot, and never here or where it drains', async () => {
    const { a, b, worker } = await two()
    const c = await beating(worker('c'), 2)
    await a.heartbeat({ free: 4 })
    await b.heartbeat({ free: 1 })
    const urls = []
    for (const seat of ['s1', 's2', 's3', 's4']) urls.push((await a.reserve(seat))?.url ?? null)
    expect(urls.slice(0, 3).sort()).toEqual(['ws://b:7700', 'ws://c:7700', 'ws://c:7700'])
    expect([urls[0], urls[3]]).toEqual(['ws://c:7700', null])
    expect(await c.heartbeat({ free: 2 })).toBe(2)
    expect((await c.list()).find(({ id }) => id === 'c')?.free).toBe(0)
    await c.heartbeat({ free: 4 })
    await c.drain()
    expect(await a.reserve('s5')).toBeNull()
  })

  it('a reserved seat lets in once, and only where it is', async () => {
    const { a, b } = await two()
    expect(await a.reserve('seat')).toEqual({ url: 'ws://b:7700' })
    expect([await a.redeem('seat'), await b.redeem('guess')]).toEqual([false, false])
    expect(await b.heartbeat({ free: 4 })).toBe(1)
    expect([await b.redeem('seat'), await b.redeem('seat')]).toEqual([true, false])
    expect(await b.heartbeat({ free: 4 })).toBe(0)
  })

  it('a session of a worker that lives is pinned to it', async () => {
    const { a, b } = await two()
    expect(await a.keep(entry())).toBe('kept')
    expect(await b.claim('key')).toEqual({ is: 'elsewhere', url: 'ws://a:7700', doubtful: false })
    expect(await b.locate('watch')).toEqual({ url: 'ws://a:7700' })
    expect([await b.claim('watch'), await b.claim('guess')]).toEqual([{ is: 'unknown' }, { is: 'unknown' }])
    expect(await b.locate('key')).toBeNull()
  })

  it('a session of a dead worker is taken up by exactly one other, with its snapshot and its keys', async () => {
    const { a, b, worker, pass } = await two()
    const c = await beating(worker('c'))
    await a.keep(entry())
    await pass(1_000)
    await Promise.all([b.heartbeat({ free: 4 }), c.heartbeat({ free: 4 })])
    expect(await b.claim('key')).toMatchObject({ is: 'elsewhere', doubtful: true })
    await pass(1_200)
    await Promise.all([b.heartbeat({ free: 4 }), c.heartbeat({ free: 4 })])
    expect(await b.locate('watch')).toEqual({ url: null })
    const claims = await Promise.all([b.claim('key'), c.claim('key'), b.claim('key'), c.claim('key')])
    const winners = claims.filter(({ is }) => is === 'claimed')
    // The winner may ask twice: the client may.
    expect(winners).toHaveLength(2)
    expect(winners[0]).toMatchObject({ id: 'drive', watch: 'watch', generation: 1 })
    expect([...(winners[0] as { saved: Uint8Array }).saved]).toEqual([0, 255, 10])
    const [lost, winner] = claims[0]!.is === 'claimed' ? [c, 'b'] : [b, 'c']
    expect(await lost!.claim('key')).toMatchObject({ is: 'elsewhere', url: `ws://${winner}:7700` })
  })

  it('a worker that only seemed dead has lost the session, and writes over nothing', async () => {
    const { a, b, pass } = await two()
    await a.keep(entry())
    await pass(SILENT_WORKER_MS + 200)
    await b.heartbeat({ free: 4 })
    const claim = await b.claim('key')
    if (claim.is !== 'claimed') throw new Error(claim.is)
    await a.heartbeat({ free: 4 })
    expect(await a.keep(entry({ saved: Uint8Array.of(9), keys: ['stolen'] }))).toBe('lost')
    await a.forget('drive')
    expect(await a.claim('stolen')).toEqual({ is: 'unknown' })
    const { generation } = claim
    expect(await b.keep(entry({ generation, keys: ['new', 'key'], saved: null }))).toBe('kept')
    expect(await a.claim('new')).toMatchObject({ is: 'elsewhere', url: 'ws://b:7700' })
  })

  it('after all was forgotten, who took a session up last has it, whoever tells first', async () => {
    const { a, b } = await two()
    expect(await a.keep(entry({ generation: 0 }))).toBe('kept')
    expect(await b.keep(entry({ generation: 1 }))).toBe('kept')
    expect(await a.keep(entry({ generation: 0 }))).toBe('lost')
  })

  it('a key that was replaced opens nothing, and a session that ended is gone with its keys', async () => {
    const { a, b } = await two()
    await a.keep(entry({ keys: ['old'] }))
    await a.keep(entry({ keys: ['new', 'old'] }))
    expect((await b.claim('old')).is).toBe('elsewhere')
    await a.keep(entry({ keys: ['new'], saved: null }))
    expect([(await b.claim('old')).is, (await b.claim('new')).is]).toEqual(['unknown', 'elsewhere'])
    await a.forget('drive')
    expect([(await b.claim('new')).is, await b.locate('watch')]).toEqual(['unknown', null])
  })

  it('says where no snapshot is there, so that one is written', async () => {
    const { a } = await two()
    expect(await a.keep(entry({ saved: null }))).toBe('bare')
    expect(await a.keep(entry())).toBe('kept')
    expect(await a.keep(entry({ saved: null }))).toBe('kept')
  })

  it('a session that was given up is had at once, though its worker lives', async () => {
    const { a, b } = await two()
    await a.keep(entry())
    await a.drain()
    await a.keep(entry({ saved: Uint8Array.of(7), released: true }))
    // What was on its way then comes too late.
    expect(await a.keep(entry())).toBe('lost')
    const claim = await b.claim('key')
    expect(claim).toMatchObject({ is: 'claimed', generation: 1 })
    expect(await a.keep(entry())).toBe('lost')
  })

  it('a worker that was started anew at its address has the sessions of the one before', async () => {
    const { a, worker } = await two()
    await a.keep(entry())
    const again = await beating(worker('a2', 4, 'ws://a:7700'))
    expect((await again.claim('key')).is).toBe('claimed')
  })
}

describe('the directory in memory', () => {
  contract(inMemory)

  it('forgets a session a minute after it was last heard of', async () => {
    const { worker, pass } = await inMemory()
    const [a, b] = [worker('a'), worker('b')]
    await a.keep(entry())
    await pass(59_000)
    expect((await b.claim('key')).is).toBe('claimed')
    await pass(61_000)
    expect((await b.claim('key')).is).toBe('unknown')
  })

  it('of a server that is alone knows of no others', async () => {
    const alone = new MemoryDirectory(me('a', 4))
    await alone.heartbeat({ free: 4 })
    expect([alone.shared, await alone.reserve('seat')]).toEqual([false, null])
  })
})

describe.skipIf(!REDIS)(`the directory in Redis${REDIS ? '' : ` (${NO_REDIS})`}`, () => {
  contract(inRedis)

  it('keeps nothing for longer than a minute', async () => {
    const redis = await RedisChild.start()
    const directory = new RedisDirectory(redis.url, 'tiny:model', me('a', 4))
    opened.push(directory)
    await beating(directory)
    await directory.keep(entry())
    const client = redis.client()
    for (const key of await client.keys('*')) {
      if (key.endsWith(':workers')) continue
      const left = await client.pttl(key)
      expect([key, left > 0 && left <= 60_000]).toEqual([key, true])
    }
    client.disconnect()
  })

  it('that is away, or does not answer, is said within a second; when it is back it is used again', async () => {
    const redis = await RedisChild.start()
    const directory = new RedisDirectory(redis.url, 'tiny:model', me('a', 4))
    opened.push(directory)
    await beating(directory)
    const refused = async () => {
      const started = performance.now()
      await expect(directory.claim('key')).rejects.toMatchObject({ code: 'DIRECTORY_DOWN' })
      expect(performance.now() - started).toBeLessThan(1_500)
    }
    redis.freeze()
    await refused()
    redis.thaw()
    await beating(directory)
    await redis.kill()
    await refused()
    await redis.begin()
    await beating(directory)
    expect((await directory.claim('key')).is).toBe('unknown')
  })

  it('another kind of address is refused in a sentence that holds no password', () => {
    const open = () => new RedisDirectory('http://me:secret@host', 'g', me('a', 4))
    expect(open).toThrow(/redis:\/\/localhost:6379/)
    expect(open).not.toThrow(/secret/)
  })
})
