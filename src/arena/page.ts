import { GLYPHS, h, iconButton, setText } from '../app/ui/dom'
import { createBallot } from './ballot'
import type { Commands } from './commands'
import { createResults } from './results'
import { createSetup, type Given } from './setup'
import type { ArenaState, ArenaStore } from './store'

export interface PageElements {
  /** Left, right. */
  readonly panes: readonly [HTMLElement, HTMLElement]
}

/** Builds the page into `root`. It reads the store and calls commands; it knows no student. */
export function createPage(
  root: HTMLElement,
  store: ArenaStore,
  commands: Commands,
  given: Given,
): PageElements {
  const panes = [pane('left'), pane('right')] as const
  const prompt = h('p.arena-prompt', { 'aria-live': 'polite' })
  const wait = h('p.arena-wait', { role: 'status' })
  const bar = h('div.arena-played', { 'aria-hidden': 'true' })
  const notices = h('div.arena-notices', { role: 'status' })
  const ballot = createBallot(store, commands)
  const round = h(
    'main.round',
    {},
    prompt,
    h('div.panes', {}, ...panes.map(({ element }) => element), wait),
    h('div.arena-track', {}, bar),
    ballot,
  )
  root.append(
    round,
    createSetup(store, given),
    createHeader(store, commands),
    notices,
    createTrouble(store, commands),
    createResults(store, commands),
  )
  const render = (state: ArenaState) => {
    root.dataset.arena = state.phase
    root.dataset.seen = String(state.seen)
    root.dataset.round = String(state.round)
    setText(prompt, state.prompt)
    setText(wait, waitWord(state))
    const share = state.phase === 'showing' ? state.played : state.progress
    bar.style.transform = `scaleX(${share.toFixed(4)})`
    if (notices.textContent !== state.notices.join('')) {
      notices.replaceChildren(...state.notices.map((text) => h('p.arena-notice', {}, text)))
    }
  }
  render(store.getState())
  store.subscribe(render)
  return { panes: [panes[0].picture, panes[1].picture] }
}

function pane(side: string) {
  const picture = h('div.pane-picture', { role: 'img', 'aria-label': `The drive on the ${side}` })
  const element = h('figure.arena-pane', {}, picture, h('figcaption', {}, side))
  return { element, picture }
}

function createHeader(store: ArenaStore, commands: Commands): HTMLElement {
  const count = h('p.now')
  const tools = h(
    'div.tools',
    {},
    iconButton('Play again', 'Space', GLYPHS.reset, commands.again),
    iconButton('Results', 'T', GLYPHS.chart, commands.toggleResults),
  )
  const render = ({ round }: ArenaState) => setText(count, round > 0 ? `arena, round ${round}` : 'arena')
  render(store.getState())
  store.subscribe(render)
  const home = h<'a'>('a.brand-name', { href: '../', title: 'To the drive' }, 'Oneiro')
  return h('header.top', {}, h('div.brand', {}, home, count), h('div.top-right', {}, tools))
}

function waitWord({ phase, progress }: ArenaState): string {
  const share = `${Math.floor(progress * 100)} %`
  if (phase === 'loading') return `Waking both dreams · ${share}`
  if (phase === 'dreaming') return `Both dream the same drive · ${share}`
  return ''
}

/** What went wrong in a round, and the one thing to do about it. */
function createTrouble(store: ArenaStore, commands: Commands): HTMLElement {
  const host = h('div.failure-host')
  let shown: ArenaState['trouble'] = null
  store.subscribe(({ trouble, phase }) => {
    const next = phase === 'setup' ? null : trouble
    if (next === shown) return
    shown = next
    host.replaceChildren()
    if (!next) return
    const again = h<'button'>('button.pill.primary', { type: 'button', onclick: commands.retry }, 'Try again')
    host.append(
      h(
        'section.failure',
        { role: 'alertdialog', 'aria-label': next.title, 'data-code': next.code },
        h('h2', {}, next.title),
        h('p', {}, next.sentence),
        h('div.failure-actions', {}, again),
      ),
    )
    again.focus({ preventScroll: true })
  })
  return host
}
