import type { Rect } from '../../scene/stage'
import type { FailureAction } from '../failures'
import { type Store, watch } from '../store'
import { type Commands, createDeck, createHeader, createPaneLabels, createScrubber } from './chrome'
import { h } from './dom'
import { createFailureCard } from './failure-card'
import { createHelp } from './help'
import { createLive } from './live-region'
import { createNotices } from './notices'
import { createPads, type PadPort } from './pads'
import { createVeil } from './veil'
import { createWaking } from './waking'

/** What the controls cover of the page above and below, CSS pixels. */
export interface Covered {
  readonly top: number
  readonly bottom: number
}

export interface PageElements {
  readonly root: HTMLElement
  readonly stage: HTMLElement
  readonly hud: HTMLElement
  focusPrompt(): void
  /** Hears what the controls cover, now and whenever that changes. */
  onCovered(listener: (covered: Covered) => void): void
  /** Where the pictures lie, for what is written on them. */
  placeFrames(frames: readonly Rect[]): void
}

/** Controls under the pointer, or under the focus of who came with the keyboard. */
const IN_USE = '.deck:hover, .top:hover, :is(.deck, .top, .scrub-host, .notices):has(:focus-visible)'

/** Milliseconds of driving without touching the mouse until the controls fade away. */
const QUIET_AFTER_MS = 2600

/** Builds the page into `root`. It only reads the store and calls commands; it knows no world. */
export function createPage(
  root: HTMLElement,
  store: Store,
  commands: Commands,
  pads: PadPort,
  act: (action: FailureAction) => void,
  describe: () => string | null,
): PageElements {
  const stage = h('div.stage', { role: 'img', 'aria-label': 'The drive' })
  const hud = h('div.hud')
  const header = createHeader(store, commands)
  const deck = createDeck(store, commands)
  root.append(
    stage,
    createWaking(store),
    h('div.scrim.scrim-top'),
    h('div.scrim.scrim-bottom'),
    createPaneLabels(store),
    hud,
    header,
    createPads(store, pads),
    deck.element,
    createScrubber(store, commands),
    createFailureCard(store, act),
    createNotices(store),
    createHelp(store),
    createVeil(store),
    createLive(store, describe),
  )
  for (const name of ['phase', 'quiet', 'touch', 'typing', 'shown', 'hud', 'bleed', 'opening'] as const) {
    watch(
      store,
      (s) => s[name],
      (value) => {
        root.dataset[name] = String(value)
      },
    )
  }
  attachQuiet(root, store)
  return {
    root,
    stage,
    hud,
    focusPrompt: deck.focusPrompt,
    onCovered: (listener) => watchCovered(root, header, deck.element, listener),
    placeFrames: (frames) => placeFrames(root, header, frames),
  }
}

function watchCovered(
  root: HTMLElement,
  header: HTMLElement,
  deck: HTMLElement,
  listener: (covered: Covered) => void,
): void {
  const observer = new ResizeObserver(() => {
    root.style.setProperty('--top', `${header.offsetHeight}px`)
    root.style.setProperty('--bottom', `${deck.offsetHeight}px`)
    listener({ top: header.offsetHeight, bottom: deck.offsetHeight })
  })
  for (const element of [header, deck]) observer.observe(element)
}

function placeFrames(root: HTMLElement, header: HTMLElement, frames: readonly Rect[]): void {
  root.dataset.over = String(frames.some(({ y }) => y < header.offsetHeight))
  for (const [i, { x, y, width, height }] of frames.entries()) {
    const sides = { left: x, top: y, right: x + width, bottom: y + height }
    for (const [side, at] of Object.entries(sides))
      root.style.setProperty(`--frame${i}-${side}`, `${at.toFixed(1)}px`)
  }
}

/** Fades the controls while someone drives, and brings them back at the first sign of a pointer or a pause. */
function attachQuiet(root: HTMLElement, store: Store): void {
  let timer: ReturnType<typeof setTimeout> | undefined
  const mayHide = () => {
    const { phase, paused, typing, help, failure, lockstep, choosing } = store.getState()
    return (
      phase === 'ready' &&
      !paused &&
      !typing &&
      !help &&
      !choosing &&
      !failure &&
      !lockstep &&
      !root.querySelector(IN_USE)
    )
  }
  const hideLater = () => {
    clearTimeout(timer)
    timer = setTimeout(() => {
      if (mayHide()) store.setState({ quiet: true })
      else hideLater()
    }, QUIET_AFTER_MS)
  }
  const wake = (event?: unknown) => {
    // A thumb on the touch controls drives; it does not ask for the others.
    if (event instanceof Event && event.target instanceof Element && event.target.closest('.pads')) return
    if (store.getState().quiet) store.setState({ quiet: false })
    hideLater()
  }
  window.addEventListener('pointermove', wake)
  window.addEventListener('pointerdown', wake)
  root.addEventListener('focusin', wake)
  watch(
    store,
    (s) => `${s.phase}${s.paused}${s.typing}${s.help}${s.choosing}${s.failure !== null}${s.view}`,
    () => wake(),
  )
}
