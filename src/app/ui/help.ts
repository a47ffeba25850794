import { type Store, watch } from '../store'
import { GLYPHS, h, icon } from './dom'
import { createSheet } from './focus'

const GROUPS: readonly {
  readonly title: string
  readonly rows: readonly (readonly [readonly string[], string])[]
}[] = [
  {
    title: 'Drive',
    rows: [
      [['←', '→'], 'steer (or A, D)'],
      [['↑', '↓'], 'go, brake (or W, S)'],
      [['C'], 'cruise: keep to the road by itself'],
      [['pad'], 'left stick and triggers'],
    ],
  },
  {
    title: 'Dream',
    rows: [
      [['/'], 'describe another drive'],
      [['Enter'], 'turn the dream into it'],
      [['R'], 'begin again'],
      [['N'], 'another seed'],
      [['V'], 'dream, simulator, both'],
    ],
  },
  {
    title: 'Time',
    rows: [
      [['Space'], 'pause, go on'],
      [['.'], 'one tick'],
      [['⌫'], 'back a second'],
      [['L'], 'save the drive, to replay it'],
    ],
  },
  {
    title: 'View',
    rows: [
      [['H'], 'instruments'],
      [['F'], 'full screen'],
      [['?'], 'this page'],
    ],
  },
]

/** The sheet of keys, and two sentences on what one is looking at. */
export function createHelp(store: Store): HTMLElement {
  const close = () => store.setState({ help: false })
  const closeButton = h<'button'>('button.icon.help-close', {
    type: 'button',
    'aria-label': 'Close',
    onclick: close,
  })
  closeButton.append(icon(GLYPHS.close))
  const groups = GROUPS.map(({ title, rows }) =>
    h(
      'section',
      {},
      h('h3', {}, title),
      ...rows.map(([keys, what]) =>
        h(
          'div.help-row',
          {},
          h('span.help-keys', {}, ...keys.map((key) => h('kbd', {}, key))),
          h('span', {}, what),
        ),
      ),
    ),
  )
  const sheet = h(
    'div.help-sheet',
    { role: 'dialog', 'aria-label': 'Keys', 'aria-modal': 'true' },
    closeButton,
    h('h2', {}, 'You are driving through a dream'),
    h(
      'p',
      {},
      'Behind a dream there is no road. Twenty times a second a small neural network looks at the last frames, your keys and your words, and paints the next frame, here in this tab. The simulator is the world that it learned from.',
    ),
    h('div.help-groups', {}, ...groups),
  )
  const host = h('div.help', { onclick: (event: Event) => event.target === host && close() }, sheet)
  watch(store, (s) => s.help, createSheet(host, closeButton))
  return host
}
