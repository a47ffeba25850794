import type { ActionLog } from '../engine/action-log'
import { checkPrompt } from '../engine/checks'
import { type Action, spaceOf } from '../engine/controls'
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
 * oneiro.help()                                           // all of it
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
  /** What can be asked of it, for whoever types `oneiro.help()` in the console. */
  help(): string
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
    help: () => helpFor(store.getState()),
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

/** An action of this world as code: its last move, the others at rest. */
function exampleIn({ controls }: AppState): string {
  const { idle, moves } = spaceOf(controls)
  const move = moves.at(-1)
  const action = move ? { ...idle, [move.control]: move.value } : idle
  const fields = Object.entries(action).map(
    ([name, value]) => `${/^\w+$/.test(name) ? name : JSON.stringify(name)}: ${value}`,
  )
  return `{ ${fields.join(', ')} }`
}

function helpFor(state: AppState): string {
  const moves = spaceOf(state.controls).moves.map(
    ({ control, value, label }) => `${control} ${value} (${label})`,
  )
  const action = exampleIn(state)
  const calls = [
    ['await oneiro.ready', 'the first frame is there'],
    [`await oneiro.step(${action})`, 'pauses, then advances exactly one tick'],
    [`oneiro.hold(${action})`, 'holds it in real time; oneiro.hold(null) gives the keys back'],
    ['oneiro.play(), oneiro.pause()', ''],
    ['await oneiro.reset(7)', 'begins anew, from this seed'],
    ["await oneiro.setPrompt('fog')", 'other words, from the next tick on'],
    ['const here = await oneiro.snapshot()', 'the whole state; it survives JSON'],
    ['await oneiro.restore(here)', 'back to it'],
    ['await oneiro.readPixels()', '{ width, height, data }, RGBA'],
    ['await oneiro.readTelemetry()', 'what the instruments read, by name'],
    [`await oneiro.setView('simulator')`, VIEWS.join(', ')],
    ["await oneiro.setPlace('server', { url: 'ws://localhost:7700' })", PLACES.join(', ')],
    ['oneiro.log()', 'everything that decided this drive, for npm run replay'],
    ['oneiro.state()', 'what the page shows: controls, tick, prompt, ...'],
  ]
  const widest = Math.max(...calls.map(([call]) => call!.length))
  const lines = calls.map(([call, what]) => `  ${call!.padEnd(widest)}  ${what}`.trimEnd())
  return [`Controls: ${moves.join(', ')}; 0 is at rest.`, ...lines].join('\n')
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
