import { h } from './dom'

export interface MenuItem {
  readonly name: string
  /** The key that does the same, if there is one. */
  readonly key?: string
  /** Left out where it is nothing to be chosen between. */
  readonly checked?: boolean
  readonly run: () => void
}

/** A menu over the page, one for all that opens it. It closes by itself where one clicks beside it, and with Escape. */
export function createMenu() {
  const element = h('div.menu', { role: 'menu', popover: 'auto' })
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
  /** Above or below what opened it, wherever there is room. */
  const open = (anchor: HTMLElement, label: string, items: readonly MenuItem[]) => {
    element.setAttribute('aria-label', label)
    element.replaceChildren(
      ...items.map(({ name, key, checked, run }) =>
        h<'button'>(
          'button.menu-item',
          {
            type: 'button',
            role: checked === undefined ? 'menuitem' : 'menuitemradio',
            ...(checked === undefined ? {} : { 'aria-checked': String(checked) }),
            onclick() {
              element.hidePopover()
              run()
            },
          },
          h('span', {}, name),
          key && h('kbd', {}, key),
        ),
      ),
    )
    element.showPopover()
    const { left, top, bottom } = anchor.getBoundingClientRect()
    const above = top - element.offsetHeight - 8
    element.style.left = `${Math.max(12, Math.min(left, innerWidth - element.offsetWidth - 12))}px`
    element.style.top = `${above >= 12 ? above : Math.min(bottom + 8, innerHeight - element.offsetHeight - 12)}px`
    const first = element.querySelector<HTMLElement>('[aria-checked="true"]') ?? element.firstElementChild
    ;(first as HTMLElement | null)?.focus({ preventScroll: true })
  }
  return { element, open }
}
