import { arenaAddress, megabytes, type Opponent } from '../app/chooser'
import { h } from '../app/ui/dom'
import type { ArenaState, ArenaStore } from './store'

/** What the address gives. */
export interface Given {
  readonly a: string
  readonly b: string | null
  /** Everything else in it, which the form keeps. */
  readonly rest: readonly (readonly [string, string])[]
  /** Students that ship, by the world that they are put beside. */
  readonly opponents: Promise<readonly { readonly world: string; readonly opponent: Opponent }[]>
  /** The address of the site. */
  readonly site: string
}

/** What is to be given where a student is missing, or cannot be compared with the other. */
export function createSetup(store: ArenaStore, given: Given): HTMLElement {
  const field = (name: 'a' | 'b', label: string, value: string) =>
    h(
      'label.setup-field',
      {},
      h('span', {}, label),
      h<'input'>('input', {
        type: 'text',
        name,
        value,
        required: true,
        spellcheck: false,
        autocomplete: 'off',
        placeholder: 'assets/another/',
      }),
    )
  const shipped = h('div.setup-shipped')
  void given.opponents.then((list) =>
    shipped.replaceChildren(
      ...list.map(({ world, opponent }) =>
        h<'a'>(
          'a.pill.primary',
          { href: arenaAddress(world, opponent, given.site) },
          `Begin against: ${opponent.title} · ${megabytes(opponent.bytes)}`,
        ),
      ),
    ),
  )
  const trouble = h('p.setup-trouble', { role: 'alert' })
  const form = h<'form'>(
    'form.setup-form',
    { method: 'get' },
    field('a', 'One student', given.a),
    field('b', 'The other', given.b ?? ''),
    ...given.rest.map(([name, value]) => h<'input'>('input', { type: 'hidden', name, value })),
    trouble,
    h<'button'>('button.pill.primary', { type: 'submit' }, 'Begin'),
  )
  const host = h(
    'div.setup',
    {},
    h('div.veil-moon'),
    h('h1', {}, 'Two dreams, blind'),
    h(
      'p.setup-words',
      {},
      'Two students dream the same drive: the same seed, start, words and keys. You see them side by side, not knowing which is which, and say which looks better and which follows the words better.',
    ),
    shipped,
    h(
      'p.setup-words',
      {},
      'Or give the folders of two exported students, each with its world.json. In the address that is ',
      h('code', {}, '?a=FOLDER&b=FOLDER'),
      '.',
    ),
    form,
  )
  const render = ({ phase, trouble: what }: ArenaState) => {
    host.hidden = phase !== 'setup'
    const text = what?.sentence ?? ''
    if (trouble.textContent !== text) trouble.textContent = text
    trouble.dataset.code = what?.code ?? ''
  }
  render(store.getState())
  store.subscribe(render)
  return host
}
