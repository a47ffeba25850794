import type { ActionLog } from '../engine/action-log'
import { checkPrompt } from '../engine/checks'
import type { Action } from '../engine/controls'
import { BadInputError } from '../engine/errors'
import { checkFields, shown } from '../engine/fields'
import type { Pixels, Snapshot, Telemetry, Tick, World } from '../engine/world'
import type { DreamClient } from '../model/open'
import { PLACES, type Place, VIEWS, type View } from './params'
import type { Player } from './player/player'
import type { AppState, Store } from './store'

/**
 * `window.oneiro`: the drive in the hands of a script, an agent or a test. Actions are of the world that is driven: `state().controls` says which.
 *
 * @example
 * await oneiro.ready
 * const tick = await oneiro.step({ jump: 1, run: 0 }) // pauses, then advances exactly one tick
 * const { width, height, data } = await oneiro.readPixels()   // RGBA
 * const telemetry = await oneiro.readTelemetry()              // by name; null where there are no instruments
 */
export interface AgentHandle {
  /** Resolves at the first frame; rejects with the failure's sentence where no world can play. */
  readonly ready: Promise<void>
  readonly store: Store
  readonly player: Player
  /** The world that is driven, with its timeline. */
  readonly world: World | null
  state(): AppState
  step(action?: Action): Promise<Tick | null>
  /** Holds an action in real time until `null` gives the keys back. Throws where it is no action. */
  hold(action: Action | null): void
  play(): void
  pause(): void
  /** Begins anew. Rejects on what is no seed, and nothing changes. */
  reset(seed?: number): Promise<void>
  /** Rejects where the words could not be read, and the drive goes on under those before. */
  setPrompt(text: string): Promise<void>
  setView(view: View): Promise<void>
  /** Lets a server dream, or this device again; the drive goes on. */
  setPlace(place: Place, server?: { url: string; token?: string }): Promise<void>
  snapshot(): Promise<Snapshot>
  /** Puts a snapshot back, also one that went through JSON. */
  restore(snapshot: Snapshot): Promise<Tick>
  readPixels(): Promise<Pixels>
  /** What the instruments read at the newest frame, by name. Null where there are none. */
  readTelemetry(): Promise<Telemetry | null>
  /** Everything that decided this drive since it began, for `npm run replay`. */
  log(): ActionLog
  /** The dream itself, opened if it is not yet. */
  dream(): Promise<DreamClient>
}

export function createAgentHandle(
  player: Player,
  store: Store,
  dream: () => Promise<DreamClient>,
): AgentHandle {
  const ready = new Promise<void>((resolve, reject) => {
    const settle = ({ phase, failure }: AppState) => {
      if (phase === 'ready') resolve()
      else if (phase === 'failed') reject(new Error(failure?.sentence ?? 'No world can play here.'))
      return phase !== 'loading'
    }
    if (settle(store.getState())) return
    const stop = store.subscribe((state) => settle(state) && stop())
  })
  // Nobody may be listening; the page itself shows the failure.
  ready.catch(() => {})
  return {
    ready,
    store,
    player,
    get world() {
      return player.world
    },
    state: () => store.getState(),
    step: (action) => player.step(action),
    hold: (action) => player.driver.script(action),
    play: () => player.play(),
    pause: () => player.pause(),
    reset: (seed) => player.reset(seed),
    async setPrompt(text) {
      if (typeof text !== 'string') throw new BadInputError(`A prompt is text, but ${shown(text)} came.`)
      checkPrompt(text)
      if (await player.setPrompt(text)) return
      throw new BadInputError(`"${text}" could not be read; the page says why. The drive goes on as it was.`)
    },
    async setView(view) {
      oneOf('view', view, VIEWS)
      await player.setView(view)
    },
    async setPlace(place, server) {
      oneOf('place', place, PLACES)
      if (server !== undefined) checkFields('A server', server, ['url', 'token'])
      await player.setPlace(place, server)
    },
    snapshot: () => player.snapshot(),
    restore: (snapshot) => player.restore(snapshot),
    readPixels: () => player.readPixels(),
    readTelemetry: () => player.readTelemetry(),
    log: () => player.log(),
    dream,
  }
}

function oneOf(what: string, value: unknown, allowed: readonly string[]): void {
  if (allowed.includes(value as string)) return
  throw new BadInputError(`A ${what} is one of ${allowed.join(', ')}, but ${shown(value)} came.`)
}

declare global {
  interface Window {
    oneiro?: AgentHandle
  }
}
