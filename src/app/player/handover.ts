import type { Begin, Loop } from '../../engine/loop'
import type { Snapshot } from '../../engine/world'
import type { DreamClient } from '../../model/open'
import { sentenceOf } from '../failures'
import { checkServer, type Place, type View } from '../params'
import { notify, type Store } from '../store'
import type { RemoteDream } from './remote-dream'
import { isSameServer, type Server } from './seats'
import type { WorldPort } from './worlds'

/** Ticks in slow motion after which a device that knows a server hands the drive over. */
const SLOW_TICKS = 60

/** What a move needs of the drive. */
export interface Drive {
  /** `remote`: the dream on a server, while it is the one that is driven. */
  now(): { readonly loop: Loop | null; readonly remote: RemoteDream | null }
  play(): void
  /** Holds the drive until the answer is called. */
  hold(): () => void
  /** The signal of another request; that of the one before is aborted. */
  newSignal(): AbortSignal
  /** A dream was opened. */
  onOpened(dream: DreamClient | RemoteDream): void
  setView(view: View, from?: Snapshot): Promise<void>
  /** Shows a dream once it has begun, where nothing else was asked for meanwhile. */
  enter(dream: DreamClient | RemoteDream, place: Place, signal: AbortSignal, begin?: Begin): Promise<boolean>
}

/** Where the dream is computed, here or on the server that was last named, and the way from one to the other. */
export class Handover {
  /** Where the drive is to go, while it is on its way to a server. */
  private asked: Server | null = null
  private slowTicks = 0
  private movedBySlowness = false

  constructor(
    private readonly store: Store,
    private readonly worlds: WorldPort,
    public server: Server | null,
    private readonly drive: Drive,
  ) {}

  /** The dream of a place. A server may have no seat for long; `signal` gives it up. */
  async open(place: Place, signal: AbortSignal, server = this.server): Promise<DreamClient | RemoteDream> {
    if (place === 'server' && !server)
      throw new Error('No server was named. Give its address, for example ws://localhost:7700.')
    if (place === 'server') checkServer(server!.url)
    const dream = await (place === 'device'
      ? this.worlds.dream()
      : this.worlds.remote(server!, (...lost) => this.comeHome(...lost), signal))
    this.drive.onOpened(dream)
    return dream
  }

  /**
   * Lets another machine dream from now on, or this one again. A drive under way goes on there where it is. Asked for the
   * place where the drive still is, it stays there.
   */
  async move(place: Place, server = this.server): Promise<void> {
    const { drive, store } = this
    const { place: before, moving, shown, view } = store.getState()
    if (place === 'server' && !server) return store.setState({ choosing: true })
    const isAt = (at: Place | null, other: Server | null) =>
      place === at && (place === 'device' || isSameServer(server, other))
    const stays = isAt(before, this.server)
    if (moving ? isAt(moving, this.asked) : stays) return
    const signal = drive.newSignal()
    if (stays) return this.stay()
    this.asked = server
    store.setState({ moving: place, server: server?.url ?? null })
    const { loop } = drive.now()
    try {
      if (shown === 'dream' && loop) await this.handOver(loop, place, signal, server)
      if (signal.aborted) return
      this.server = server
      store.setState({ place, moving: null, loading: null })
      // A dream was on its way to the view, from the place before.
      if (!loop || shown !== view) await drive.setView(view)
      await this.leave()
    } catch (error) {
      if (signal.aborted) return
      notify(store, sentenceOf(error), 'warn', 12_000)
      this.stay()
    }
  }

  /** Where the drive was about to move, it stays where it is. */
  stay(): void {
    const { place, server, moving } = this.store.getState()
    if (!moving) return
    const address = place === 'server' ? (this.server?.url ?? null) : server
    this.store.setState({ moving: null, loading: null, server: address })
    void this.leave()
  }

  /** A tick came, in slow motion or not. A device that is too slow hands the drive over where it knows a server. */
  heard(slow: boolean): void {
    const { place, shown, moving } = this.store.getState()
    if (shown !== 'dream' || place !== 'device' || moving || !this.tooSlow(slow)) return
    notify(this.store, 'This device is too slow for the dream, so the server goes on with it.')
    void this.move('server')
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

  /** Gives up the seats that nobody drives on. */
  private leave(): Promise<void> {
    return this.worlds.dropRemote(this.drive.now().remote)
  }

  /** The drive goes on elsewhere from the very tick it is at; from its beginning where that is another world. */
  private async handOver(
    loop: Loop,
    place: Place,
    signal: AbortSignal,
    server: Server | null,
  ): Promise<void> {
    const dream = await this.open(place, signal, server)
    if (signal.aborted) return
    const release = this.drive.hold()
    // Who gives the move up need not wait for a machine that does not answer.
    signal.addEventListener('abort', release)
    try {
      const same = loop.world.info.modelHash === dream.info.modelHash
      const at = same ? await this.whereabouts(loop) : null
      const entered = await this.drive.enter(dream, place, signal, at ? { restore: at } : undefined)
      if (!entered) return
      if (!same) notify(this.store, 'That is another dream, so the drive began anew.')
      else if (!at) notify(this.store, 'Nothing of this drive is known here, so it began anew.')
    } finally {
      release()
    }
  }

  /** The state to go on from. A server that does not answer is not waited for: what was seen last is known here. */
  private whereabouts(loop: Loop): Promise<Snapshot | null> {
    const { remote } = this.drive.now()
    const now = loop.snapshot()
    if (!remote) return now
    return Promise.race([now, remote.whenSilent()])
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
