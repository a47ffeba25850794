import type { Begin, Loop } from '../engine/loop'
import type { Snapshot, World } from '../engine/world'
import type { DreamClient } from '../model/open'
import { sentenceOf } from './failures'
import type { Place, View } from './params'
import { notify, type Store } from './store'
import { isSameServer, type RemoteDream, type Server, type WorldPort } from './worlds'

/** Ticks in slow motion after which a device that knows a server hands the drive over. */
const SLOW_TICKS = 60

/** What a move needs of the drive. */
export interface Drive {
  /** `remote`: the dream on a server, while it is the one that is driven. */
  now(): { readonly loop: Loop | null; readonly remote: RemoteDream | null; readonly playing: boolean }
  play(): void
  /** Another wish; the signal of the one before is aborted. */
  wish(): AbortSignal
  /** A dream was opened. */
  met(dream: DreamClient | RemoteDream): void
  setView(view: View, from?: Snapshot): Promise<void>
  /** Shows a dream once it has begun, where nothing else was asked for meanwhile. */
  enter(dream: World, place: Place, turn: AbortSignal, begin?: Begin): Promise<void>
}

/** Where the dream is computed, here or on the server that was last named, and the way from one to the other. */
export class Places {
  private slowTicks = 0
  private movedBySlowness = false

  constructor(
    private readonly store: Store,
    private readonly worlds: WorldPort,
    public server: Server | null,
    private readonly drive: Drive,
  ) {}

  async open(place: Place): Promise<DreamClient | RemoteDream> {
    if (place === 'server' && !this.server)
      throw new Error('No server was named. Give its address, for example ws://localhost:7700.')
    const dream = await (place === 'device'
      ? this.worlds.dream()
      : this.worlds.remote(this.server!, (...lost) => this.comeHome(...lost)))
    this.drive.met(dream)
    return dream
  }

  /** Lets another machine dream from now on, or this one again. A drive under way goes on there where it is. */
  async move(place: Place, server = this.server): Promise<void> {
    const { drive, store } = this
    const state = store.getState()
    if (place === 'server' && !server) return store.setState({ choosing: true })
    if (place === (state.moving ?? state.place) && (place === 'device' || isSameServer(server, this.server)))
      return
    const turn = drive.wish()
    const before = this.server
    this.server = server
    store.setState({ moving: place, server: server?.url ?? null })
    try {
      const { loop } = drive.now()
      if (state.shown === 'dream' && loop) {
        const dream = await this.open(place)
        if (turn.aborted) return
        await this.handOver(loop, dream, place, turn)
      } else store.setState({ place })
    } catch (error) {
      notify(store, sentenceOf(error), 'warn', 12_000)
      if (!turn.aborted) this.server = before
    } finally {
      if (!turn.aborted) store.setState({ moving: null, loading: null })
    }
    if (store.getState().place === 'device') await this.leave()
  }

  /**
   * Heard once a tick on this device: true once, where it has been slow for long and a server is known. Who comes back by
   * hand is not sent away again.
   */
  tooSlow(slow: boolean): boolean {
    this.slowTicks = slow ? this.slowTicks + 1 : 0
    if (this.slowTicks < SLOW_TICKS || !this.server || this.movedBySlowness) return false
    this.movedBySlowness = true
    return true
  }

  /** Gives the seat up. */
  private leave(): Promise<void> {
    return this.worlds.dropRemote()
  }

  /** The drive goes on in `dream` from the very tick it is at; from its beginning where that is another world. */
  private async handOver(loop: Loop, dream: World, place: Place, turn: AbortSignal): Promise<void> {
    const { playing } = this.drive.now()
    loop.pause()
    try {
      const same = loop.world.info.modelHash === dream.info.modelHash
      if (!same) notify(this.store, 'That is another dream, so the drive begins anew.')
      const begin = same ? { restore: await loop.snapshot() } : undefined
      await this.drive.enter(dream, place, turn, begin)
    } finally {
      if (playing) this.drive.play()
    }
  }

  /** The server is gone for good: this device dreams on, from what was seen last where that is known. */
  private comeHome(sentence: string, seen?: Snapshot): void {
    const { drive, store } = this
    const from = seen ? 'from what was seen last' : 'from the beginning of the drive'
    notify(store, `${sentence} This device dreams on, ${from}.`, 'warn', 12_000)
    const { paused } = store.getState()
    store.setState({ place: 'device' })
    if (!drive.now().remote) return
    void drive.setView('dream', seen).then(() => {
      if (paused === null) drive.play() // the step that was under way ended the loop
      return this.leave()
    })
  }
}
