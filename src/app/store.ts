import { createStore, type StoreApi } from 'zustand/vanilla'
import type { Action, Control } from '../engine/controls'
import type { Branch } from '../engine/timeline'
import type { Failure } from './failures'
import type { Place, View } from './params'
import type { PauseCause } from './player/motion'

/** A prompt offered as a chip. The dream knows its own by heart, so that they need no sentence encoder. */
export interface Preset {
  readonly id: string
  readonly text: string
}

export interface StartChoice {
  readonly id: string
  readonly caption: string
}

export interface Loading {
  /** What is being done, in words. */
  readonly label: string
  /** 0..1, or null while unknown. */
  readonly fraction: number | null
  /** True where `fraction` is where the present step will end, at a time nobody knows. */
  readonly creeping?: boolean
}

export interface Notice {
  readonly id: number
  readonly tone: 'info' | 'warn'
  readonly text: string
}

/** What the world made of its prompt. */
export interface HeardState {
  /** By thing, as `{ time: 'night' }`; what is left out was not named. */
  readonly values: Readonly<Record<string, string>>
  /** The first tick under these words, of the drive that is shown. */
  readonly tick: number
  /** The prompt labels that condition the world, to be edited; null where it reads words by itself. */
  readonly labels: Float32Array | null
}

/** A run under way or finished. */
export interface RunState {
  readonly day: string
  readonly unit: string
  /** Ticks spent, also those that were taken back. */
  readonly spent: number
  readonly score: number
  /** Score at every second spent. */
  readonly line: readonly number[]
  /** The best run of that day before this one. */
  readonly best: { readonly score: number; readonly line: readonly number[] } | null
  readonly done: boolean
}

export interface AppState {
  /** `loading` before the first frame, `ready` while a world can be driven, `failed` where none can. */
  readonly phase: 'loading' | 'ready' | 'failed'
  readonly loading: Loading | null
  /** What the person asked for; `shown` follows once that world has its first frame. */
  readonly view: View
  readonly shown: View
  readonly backend: string
  /** Where the dream is computed, and where it is about to be while that is another. */
  readonly place: Place
  readonly moving: Place | null
  /** The server that was last asked for, or null. */
  readonly server: string | null
  /** True while the panel that chooses between them is open. */
  readonly choosing: boolean
  /** Why the drive stands; null where nobody asked it to. */
  readonly paused: PauseCause | null
  readonly lockstep: boolean
  readonly seed: number
  readonly prompt: string
  readonly start: string | null
  readonly presets: readonly Preset[]
  readonly starts: readonly StartChoice[]
  /** The dream draws a first frame from words and a seed where no start is named. */
  readonly fromWords: boolean
  /** The words being read by the sentence encoder, or null. */
  readonly reading: Loading | null
  /** What words choose between, the most important first; null where nobody knows. */
  readonly choices: Readonly<Record<string, readonly string[]>> | null
  readonly heard: HeardState | null
  readonly tick: number
  /** What can be done in the world that is driven. */
  readonly controls: readonly Control[]
  /** What keys ask for, and the action last taken (which cruise may have changed). */
  readonly held: Action
  readonly action: Action
  readonly cruise: boolean
  /** The drive is kept whole while a person plays. */
  readonly assist: boolean
  /** A person plays, or did less than two seconds ago. */
  readonly handsOn: boolean
  /** The picture covers the window. */
  readonly bleed: boolean
  /** How often the dream broke and the person woke. */
  readonly wakes: number
  /** The world listens to words. */
  readonly listens: boolean
  /** There is a simulator of it: it can be shown beside the dream, and its driver can play both. */
  readonly simulated: boolean
  readonly ticksPerSecond: number
  readonly nominalRate: number
  readonly slowed: boolean
  /** Ticks that rewind can reach. */
  readonly past: { readonly from: number; readonly to: number } | null
  /** Futures of this drive that were left, the newest first. */
  readonly branches: readonly Branch[]
  readonly typing: boolean
  readonly hud: boolean
  /** The drive is heard. */
  readonly sound: boolean
  /** The first frame of the opening drive is shown as an image, until the dream has it. */
  readonly opening: boolean
  readonly help: boolean
  /** True while the controls are hidden because someone is driving. */
  readonly quiet: boolean
  readonly touch: boolean
  readonly offline: boolean
  readonly notices: readonly Notice[]
  /** There are runs in the world that is driven. */
  readonly runnable: boolean
  /** Other worlds lie beside the page. */
  readonly choosable: boolean
  readonly run: RunState | null
  readonly failure: Failure | null
}

export type Store = StoreApi<AppState>

export const initialState: AppState = {
  phase: 'loading',
  loading: { label: 'Falling asleep', fraction: null },
  view: 'dream',
  shown: 'dream',
  backend: '',
  place: 'device',
  moving: null,
  server: null,
  choosing: false,
  paused: null,
  lockstep: false,
  seed: 0,
  prompt: '',
  start: null,
  presets: [],
  starts: [],
  fromWords: false,
  reading: null,
  choices: null,
  heard: null,
  tick: 0,
  controls: [],
  held: {},
  action: {},
  cruise: true,
  assist: true,
  handsOn: false,
  bleed: false,
  wakes: 0,
  listens: true,
  simulated: true,
  ticksPerSecond: 0,
  nominalRate: 20,
  slowed: false,
  past: null,
  branches: [],
  typing: false,
  hud: false,
  sound: false,
  opening: false,
  help: false,
  quiet: false,
  touch: false,
  offline: false,
  notices: [],
  runnable: false,
  choosable: false,
  run: null,
  failure: null,
}

export function createAppStore(overrides: Partial<AppState> = {}): Store {
  return createStore<AppState>(() => ({ ...initialState, ...overrides }))
}

/** Calls `react` now and whenever what `select` picks changes (by `Object.is`). Returns how to stop. */
export function watch<T>(
  store: Store,
  select: (state: AppState) => T,
  react: (value: T) => void,
): () => void {
  let value = select(store.getState())
  react(value)
  return store.subscribe((state) => {
    const next = select(state)
    if (Object.is(next, value)) return
    value = next
    react(value)
  })
}

let noticeId = 0
const MAX_NOTICES = 3

/** Shows a sentence for a while; the same sentence is not shown twice at once. */
export function notify(store: Store, text: string, tone: Notice['tone'] = 'info', ms = 6500): void {
  const { notices } = store.getState()
  if (notices.some((notice) => notice.text === text)) return
  const id = ++noticeId
  store.setState({ notices: [...notices, { id, tone, text }].slice(-MAX_NOTICES) })
  setTimeout(() => dismiss(store, id), ms)
}

export function dismiss(store: Store, id: number): void {
  store.setState(({ notices }) => ({ notices: notices.filter((notice) => notice.id !== id) }))
}
