import { spaceOf } from '../../engine/controls'
import { type AppState, type Store, watch } from '../store'
import { GLYPHS, h, icon } from './dom'
import { createSheet } from './focus'
import { keyName } from './key-caps'

interface Group {
  readonly title: string
  readonly rows: readonly (readonly [keys: readonly string[], what: string])[]
}

/** What can be done in a world, and by which keys. */
function controlsGroup({ controls, simulated }: AppState): Group {
  const { moves } = spaceOf(controls)
  return {
    title: 'Drive',
    rows: [
      ...moves.map(({ keys, label }) => [keys.map(keyName), label] as const),
      ...(simulated
        ? ([
            [['C'], 'cruise, while your hands are off'],
            [['K'], 'assist, while they are on'],
          ] as const)
        : []),
      ...(moves.some(({ pad }) => pad.length > 0)
        ? ([[['pad'], 'sticks and buttons do the same']] as const)
        : []),
    ],
  }
}

const GROUPS: readonly Group[] = [
  {
    title: 'Dream',
    rows: [
      [['/'], 'describe another drive'],
      [['Enter'], 'turn the dream into it'],
      [['G'], 'a run of 60 seconds'],
      [['R'], 'begin again'],
      [['N'], 'another seed'],
      [['V'], 'dream, simulator, both'],
    ],
  },
  {
    title: 'Time',
    rows: [
      [['Space', 'P'], 'pause, go on'],
      [['.'], 'one tick'],
      [['⌫'], 'back a second'],
      [['L'], 'save the drive, to replay it; drop it here to go on'],
      [['I'], 'keep a still'],
      [['O'], 'keep the last eight seconds'],
    ],
  },
  {
    title: 'View',
    rows: [
      [['H'], 'instruments'],
      [['M'], 'sound'],
      [['B'], 'picture over the whole window'],
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
  const section = ({ title, rows }: Group) =>
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
    )
  const groups = h('div.help-groups')
  watch(
    store,
    (s) => s.controls,
    () => groups.replaceChildren(...[controlsGroup(store.getState()), ...GROUPS].map(section)),
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
    groups,
  )
  const host = h('div.help', { onclick: (event: Event) => event.target === host && close() }, sheet)
  watch(store, (s) => s.help, createSheet(host, closeButton))
  return host
}
