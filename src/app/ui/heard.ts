import { type AppState, type Store, watch } from '../store'
import { h, letGoAfter, setText } from './dom'

/** How long the receipt stands in place of the row's name, milliseconds. */
const RECEIPT_MS = 4000

/** What was heard of the words, thing by thing, each a chip that changes it. */
export function createHeard(
  store: Store,
  choose: (thing: string, value: string | null) => void,
): HTMLElement {
  const name = h('span.heard-name', { role: 'status' }, 'Heard')
  const chips = h('div.heard-chips')
  const menu = createMenu(choose)
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
                menu.open(chip, thing, values, store.getState().heard?.values[thing] ?? null)
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

/** The values of one thing. It closes by itself where one clicks beside it, and with Escape. */
function createMenu(choose: (thing: string, value: string | null) => void) {
  const element = h('div.heard-menu', { role: 'menu', popover: 'auto' })
  element.addEventListener('keydown', (event) => {
    const items = [...element.children] as HTMLElement[]
    const at = items.indexOf(document.activeElement as HTMLElement)
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key]
    // Keys are for the menu while it is open, and not for the drive.
    if (event.key !== 'Escape' && event.key !== 'Tab') event.stopPropagation()
    if (to === undefined) return
    event.preventDefault()
    items.at(to % items.length)?.focus()
  })
  const open = (chip: HTMLElement, thing: string, values: readonly string[], now: string | null) => {
    element.setAttribute('aria-label', thing)
    element.replaceChildren(
      ...[...values, null].map((value) =>
        h<'button'>(
          'button.heard-value',
          {
            type: 'button',
            role: 'menuitemradio',
            'aria-checked': String(value === now),
            onclick() {
              element.hidePopover()
              if (value !== now) choose(thing, value)
            },
          },
          value ?? `any ${thing}`,
        ),
      ),
    )
    element.showPopover()
    const { left, top } = chip.getBoundingClientRect()
    element.style.left = `${Math.min(left, innerWidth - element.offsetWidth - 12)}px`
    element.style.top = `${Math.max(12, top - element.offsetHeight - 8)}px`
    const current = element.querySelector<HTMLElement>('[aria-checked="true"]')
    current?.focus({ preventScroll: true })
  }
  return { element, open }
}
