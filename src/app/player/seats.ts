import type { Snapshot, World } from '../../engine/world'
import type { RemoteDream } from './remote-dream'

/** A server, and what opens it. The token stays in memory. */
export interface Server {
  readonly url: string
  readonly token?: string
}

export function isSameServer(one: Server | null | undefined, other: Server | null | undefined): boolean {
  return one?.url === other?.url && one?.token === other?.token
}

/** Told when a server is gone for good: why, and where the drive was seen last, if that is known. */
export type OnLost = (sentence: string, seen?: Snapshot) => void

interface Seat {
  readonly server: Server
  /** Pending while the server has no seat. */
  readonly world: Promise<RemoteDream>
  readonly over: AbortController
  opened: RemoteDream | null
  lost: boolean
}

/** Seats on servers: the one that is driven on, and the one that a drive is about to go to. */
export class Seats {
  private seats: readonly Seat[] = []

  /** `open` gives up at its signal, and tells nothing any more from then on. */
  constructor(
    private readonly open: (server: Server, onLost: OnLost, over: AbortSignal) => Promise<RemoteDream>,
  ) {}

  /** A seat on a server, the one there is if there is one. `signal` gives up the place in its line. */
  take(server: Server, onLost: OnLost, signal: AbortSignal): Promise<RemoteDream> {
    const known = this.seats.find((seat) => !seat.lost && isSameServer(seat.server, server))
    if (known) return known.world
    const over = new AbortController()
    const lost: OnLost = (...news) => {
      seat.lost = true
      onLost(...news)
    }
    const world = this.open(server, lost, over.signal)
    const seat: Seat = { server, world, over, opened: null, lost: false }
    this.seats = [...this.seats, seat]
    const giveUp = () => void this.drop(seat)
    signal.addEventListener('abort', giveUp)
    world
      .then(
        (opened) => {
          seat.opened = opened
        },
        () => this.drop(seat),
      )
      .finally(() => signal.removeEventListener('abort', giveUp))
    return world
  }

  /** Gives up every seat but that of `driven`, and every place in a line. */
  async leave(driven: World | null = null): Promise<void> {
    const left = this.seats.filter(({ opened }) => !opened || opened !== driven)
    await Promise.all(left.map((seat) => this.drop(seat)))
  }

  private async drop(seat: Seat): Promise<void> {
    this.seats = this.seats.filter((one) => one !== seat)
    seat.over.abort()
    await seat.world.then((world) => world.close()).catch(() => {})
  }
}
