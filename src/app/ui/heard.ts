import { type AppState, type Store, watch } from '../store'
import { h, letGoAfter, setText } from './dom'
import { createMenu } from './menu'

/** How long the receipt stands in place of the row's name, milliseconds. */
const RECEIPT_MS = 4000

/** What was heard of the words, thing by thing, each a chip that changes it. */
export function createHeard(
  store: Store,
  choose: (thing: string, value: string | null) => void,
): HTMLElement {
  const name = h('span.heard-name', { role: 'status' }, 'Heard')
  const chips = h('div.heard-chips')
  const menu = createMenu()
  const row = h('div.heard', { role: 'group', 'aria-label': 'What was heard' }, name, chips, menu.element)
  watch(
    store,
    (s) => s.choices,
    (choices) =>
      chips.replaceChildren(
        ...Object.entries(choices ?? {}).map(([thing, values]) =>
          h<'button'>(
            'button.chip.heard-chip',
            {
              type: 'button',
              'aria-haspopup': 'menu',
              'data-thing': thing,
              onclick(event: MouseEvent) {
                const chip = event.currentTarget as HTMLElement
                const now = store.getState().heard?.values[thing] ?? null
                const items = [...values, null].map((value) => ({
                  name: value ?? `any ${thing}`,
                  checked: value === now,
                  run: () => value !== now && choose(thing, value),
                }))
                menu.open(chip, thing, items)
                letGoAfter(event)
              },
            },
            '',
          ),
        ),
      ),
  )
  const show = ({ heard, choices, listens }: AppState) => {
    row.hidden = !heard || !choices || !listens
    for (const chip of chips.children) {
      const thing = (chip as HTMLElement).dataset.thing!
      const value = heard?.values[thing]
      setText(chip, value ?? `any ${thing}`)
      chip.classList.toggle('none', value === undefined)
      chip.setAttribute('aria-label', `${thing}: ${value ?? 'any'}. Change it`)
    }
  }
  let timer: ReturnType<typeof setTimeout> | undefined
  watch(
    store,
    (s) => s.heard,
    (heard) => {
      show(store.getState())
      if (!heard || heard.tick === 0) return
      setText(name, `from tick ${heard.tick}`)
      row.classList.add('taken')
      clearTimeout(timer)
      timer = setTimeout(() => {
        setText(name, 'Heard')
        row.classList.remove('taken')
      }, RECEIPT_MS)
    },
  )
  watch(
    store,
    (s) => s.choices,
    () => show(store.getState()),
  )
  watch(
    store,
    (s) => s.listens,
    () => show(store.getState()),
  )
  return row
}
