import { Redis } from 'ioredis'
import { BadInputError, OneiroError } from '../../src/engine/errors'
import { SEAT_MS } from '../session/reservations'
import {
  type Beat,
  type Claim,
  DOUBT_MS,
  type Entry,
  KEPT_MS,
  type Keeping,
  type Reservation,
  type SessionDirectory,
  SILENT_WORKER_MS,
  type Worker,
  type WorkerState,
} from './directory'
import { SCRIPTS } from './redis-scripts'

/** No call waits for Redis longer than this, whether it is slow, away or does not answer. */
const PATIENCE_MS = 500
const RECONNECT_MS = 500
/** The first connection may take so long before it is said that Redis is away. */
const FIRST_MS = 2_000

/** Redis did not do what was asked. */
export class DirectoryError extends OneiroError {
  constructor(cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause)
    super('DIRECTORY_DOWN', `Redis cannot be reached or failed (${why}). Check that it runs.`, { cause })
  }
}

type Script = keyof typeof SCRIPTS
type Argument = string | number | Buffer

/** The directory of many machines, in one Redis. */
export class RedisDirectory implements SessionDirectory {
  readonly shared = true
  private readonly redis: Redis
  private readonly prefix: string
  private readonly begun: Promise<void>
  private draining = false
  private closing: Promise<void> | null = null

  /**
   * `url`: `redis://host:port/db`, or `rediss://`. `group`: the workers that may take up each other's sessions; those
   * of one model. Throws `BadInputError` on another kind of address. Redis need not be there yet.
   */
  constructor(
    url: string,
    group: string,
    private readonly me: Worker,
  ) {
    if (!/^rediss?:\/\//.test(url) || !URL.canParse(url)) {
      throw new BadInputError(
        `An address such as redis://localhost:6379 was expected, but "${url.replace(/\/\/[^@]*@/, '//...@')}" came. Correct --redis.`,
      )
    }
    this.prefix = `oneiro:${group}:`
    this.redis = new Redis(url, {
      // What cannot be done now is not wanted later: the next beat says it all again.
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      commandTimeout: PATIENCE_MS,
      connectTimeout: PATIENCE_MS,
      retryStrategy: () => RECONNECT_MS,
      scripts: Object.fromEntries(
        Object.entries(SCRIPTS).map(([name, lua]) => [`oneiro_${name}`, { lua, numberOfKeys: 0 }]),
      ),
    })
    this.begun = new Promise((resolve) => {
      this.redis.once('ready', () => resolve())
      setTimeout(resolve, FIRST_MS).unref()
    })
    // Each call rejects by itself; without a listener the connection's errors would be printed.
    this.redis.on('error', () => {})
  }

  async heartbeat({ free }: Beat): Promise<number> {
    const { id, url, slots } = this.me
    return Number(await this.run('beat', id, url, slots, free, this.draining ? 1 : 0, SILENT_WORKER_MS))
  }

  async list(): Promise<readonly WorkerState[]> {
    const flat = (await this.run('list')) as string[]
    return Array.from({ length: flat.length / 5 }, (_, i) => {
      const [id, url, slots, free, draining] = flat.slice(5 * i) as [string, string, string, string, string]
      return { id, url, slots: Number(slots), free: Number(free), draining: draining === '1' }
    })
  }

  async reserve(seat: string): Promise<Reservation | null> {
    const url = (await this.run('reserve', this.me.id, this.me.url, seat, SEAT_MS)) as string | null
    return url === null ? null : { url }
  }

  async redeem(seat: string): Promise<boolean> {
    return (await this.run('redeem', this.me.id, seat)) === 1
  }

  async locate(watch: string): Promise<{ url: string | null } | null> {
    const url = (await this.run('locate', this.me.id, this.me.url, watch)) as string | null
    return url === null ? null : { url: url || null }
  }

  async claim(key: string): Promise<Claim> {
    const answer = await this.runBuffer('claim', this.me.id, this.me.url, key, KEPT_MS)
    const [is, second, third, watch, saved] = answer as [
      Buffer,
      Buffer,
      Buffer | number,
      Buffer,
      Buffer | null,
    ]
    switch (is.toString()) {
      case 'claimed':
        return {
          is: 'claimed',
          id: second.toString(),
          generation: Number(third),
          watch: watch.toString(),
          saved,
        }
      case 'elsewhere':
        return {
          is: 'elsewhere',
          url: second.toString(),
          doubtful: SILENT_WORKER_MS - Number(third) > DOUBT_MS,
        }
      default:
        return { is: 'unknown' }
    }
  }

  async keep({ id, generation, keys, watch, saved, released }: Entry): Promise<Keeping> {
    const bytes = saved ? Buffer.from(saved.buffer, saved.byteOffset, saved.byteLength) : ''
    const options = [generation, released ? 1 : 0, KEPT_MS, watch]
    return (await this.run('keep', this.me.id, id, ...options, bytes, ...keys)) as Keeping
  }

  async forget(id: string): Promise<void> {
    await this.run('forget', this.me.id, id)
  }

  async drain(): Promise<void> {
    this.draining = true
    await this.heartbeat({ free: 0 })
  }

  close(): Promise<void> {
    this.closing ??= this.run('leave', this.me.id)
      .catch(() => {})
      .then(() => this.redis.disconnect())
    return this.closing
  }

  private run(script: Script, ...args: readonly Argument[]): Promise<unknown> {
    return this.call(`oneiro_${script}`, args)
  }

  /** The answer's strings as bytes. */
  private runBuffer(script: Script, ...args: readonly Argument[]): Promise<unknown> {
    return this.call(`oneiro_${script}Buffer`, args)
  }

  private async call(name: string, args: readonly Argument[]): Promise<unknown> {
    const commands = this.redis as unknown as Record<string, (...args: Argument[]) => Promise<unknown>>
    await this.begun
    try {
      return await commands[name]!(this.prefix, ...args)
    } catch (error) {
      throw new DirectoryError(error)
    }
  }
}
