/** The worlds that are open, by their handles: what the tools do, without the protocol. */
import { basename } from 'node:path'
import { shown } from '../src/engine/fields'
import { holding } from '../src/engine/script'
import { TaskQueue } from '../src/engine/task-queue'
import { type Action, BadInputError, OneiroError, type Snapshot, type Tick, type World } from '../src/node'

/** Each has a student of its own in memory. */
export const MOST_OPEN = 8
/** A snapshot of a drive is 100 kB; beyond these the oldest goes. */
export const MOST_SNAPSHOTS = 64

export interface Opening {
  /** One of `names`; left out, the first. */
  readonly name?: string
  readonly seed?: number
  readonly prompt?: string
  readonly start?: string
}

/** What so many ticks of one action came to. */
export interface Acted {
  readonly tick: Tick
  /** Over all of these ticks; left out in a world without one. */
  readonly reward?: number
  /** How many there were: an episode's end stops them. */
  readonly ticks: number
}

interface Seat {
  readonly handle: string
  readonly address: string
  readonly world: World
  /** Calls from several agents are carried out one after the other, each as a whole. */
  readonly queue: TaskQueue
  newest: Tick
}

/**
 * What can be opened, and what is open. Every method throws an `OneiroError` whose sentence says what would have been right,
 * and then nothing has changed.
 */
export class Worlds {
  /** What can be opened, by name. */
  private readonly addresses: ReadonlyMap<string, string>
  private readonly seats = new Map<string, Seat>()
  private readonly snapshots = new Map<string, Snapshot>()
  private opening = 0
  private opened = 0
  private kept = 0

  constructor(
    addresses: readonly string[],
    private readonly open: (address: string) => Promise<World>,
  ) {
    this.addresses = new Map(addresses.map((address) => [nameOf(address), address]))
    if (this.addresses.size < addresses.length) {
      throw new BadInputError(
        `Worlds are told apart by the names of their folders, but two of ${addresses.join(', ')} are alike.`,
      )
    }
  }

  get names(): string[] {
    return [...this.addresses.keys()]
  }

  get handles(): string[] {
    return [...this.seats.keys()]
  }

  /** Opens a world and begins it. */
  async begin({ name = this.names[0]!, ...reset }: Opening): Promise<Seat> {
    const address = this.addresses.get(name)
    if (address === undefined) {
      throw new BadInputError(`There is no world ${shown(name)} here. Open one of ${this.names.join(', ')}.`)
    }
    return this.take(address, (world) => world.reset({ seed: 0, ...reset }))
  }

  /** Another world that goes on from where this one is. */
  async fork(handle: string): Promise<Seat> {
    const { address, world, queue } = this.seat(handle)
    const snapshot = await queue.run(() => world.snapshot())
    return this.take(address, (another) => another.restore(snapshot))
  }

  /** Holds an action for so many ticks, or until the episode ends. Controls that it does not name are at rest. */
  act(handle: string, hold: unknown, ticks: number): Promise<Acted> {
    const seat = this.seat(handle)
    const { world, queue } = seat
    const action = holding(world, hold as Action)
    return queue.run(async () => {
      let reward: number | undefined
      let tick = seat.newest
      let made = 0
      while (made < ticks) {
        tick = await world.step(action)
        seat.newest = tick
        made++
        if (tick.reward !== undefined) reward = (reward ?? 0) + tick.reward
        if (tick.done) break
      }
      return { tick, reward, ticks: made }
    })
  }

  /** The newest tick. */
  look(handle: string): Promise<{ readonly world: World; readonly tick: Tick }> {
    const seat = this.seat(handle)
    return seat.queue.run(() => ({ world: seat.world, tick: seat.newest }))
  }

  /** The first tick under these words. */
  async say(handle: string, words: string): Promise<number | null> {
    const { world, queue } = this.seat(handle)
    return (await queue.run(() => world.setPrompt(words))).tick
  }

  /** Keeps where a world is, by a name. */
  async snapshot(handle: string): Promise<{ readonly name: string; readonly tick: number }> {
    const { world, queue } = this.seat(handle)
    const snapshot = await queue.run(() => world.snapshot())
    const name = `snapshot-${++this.kept}`
    this.snapshots.set(name, snapshot)
    const [oldest] = this.snapshots.keys()
    if (this.snapshots.size > MOST_SNAPSHOTS) this.snapshots.delete(oldest!)
    return { name, tick: snapshot.tick }
  }

  /** Puts one back, also one of another handle of the same world. */
  async restore(handle: string, name: string): Promise<Tick> {
    const seat = this.seat(handle)
    const snapshot = this.snapshots.get(name)
    if (!snapshot) {
      const known = [...this.snapshots.keys()].join(', ') || 'none yet'
      throw new BadInputError(
        `There is no snapshot ${shown(name)}. There are: ${known}; the newest ${MOST_SNAPSHOTS} are kept.`,
      )
    }
    return seat.queue.run(async () => {
      seat.newest = await seat.world.restore(snapshot)
      return seat.newest
    })
  }

  async close(handle: string): Promise<void> {
    const seat = this.seat(handle)
    this.seats.delete(handle)
    await seat.queue.run(() => seat.world.close())
  }

  async closeAll(): Promise<void> {
    await Promise.all(this.handles.map((handle) => this.close(handle)))
  }

  /** The world of a handle. Throws `BadInputError` that names those that are open. */
  seat(handle: string): Seat {
    const seat = this.seats.get(handle)
    if (seat) return seat
    const open = this.handles.length > 0 ? `Open are ${this.handles.join(', ')}.` : 'None is open: call open.'
    throw new BadInputError(`There is no world ${shown(handle)}. ${open}`)
  }

  private async take(address: string, begin: (world: World) => Promise<Tick>): Promise<Seat> {
    if (this.seats.size + this.opening >= MOST_OPEN) {
      throw new OneiroError(
        'TOO_MANY_WORLDS',
        `${MOST_OPEN} worlds may be open at once, and are. Close one of ${this.handles.join(', ')}.`,
      )
    }
    this.opening++
    try {
      const world = await this.open(address)
      try {
        const newest = await begin(world)
        const handle = `${nameOf(address)}-${++this.opened}`
        const seat = { handle, address, world, queue: new TaskQueue(), newest }
        this.seats.set(handle, seat)
        return seat
      } catch (error) {
        await world.close()
        throw error
      }
    } finally {
      this.opening--
    }
  }
}

/** A folder's own name, or a server's host. */
function nameOf(address: string): string {
  return /^wss?:/.test(address) ? new URL(address).host : basename(address)
}
