import { dismiss, type Notice, type Store, watch } from '../store'
import { GLYPHS, h, icon } from './dom'

/** Sentences that come and go at the top of the page. */
export function createNotices(store: Store): HTMLElement {
  const list = h('div.notices', { role: 'status', 'aria-live': 'polite' })
  const shown = new Map<number, HTMLElement>()
  watch(
    store,
    (s) => s.notices,
    (notices) => {
      for (const [id, element] of shown) {
        if (notices.some((notice) => notice.id === id)) continue
        shown.delete(id)
        element.classList.add('leaving')
        setTimeout(() => element.remove(), 320)
      }
      for (const notice of notices) {
        if (shown.has(notice.id)) continue
        const element = render(store, notice)
        shown.set(notice.id, element)
        list.append(element)
      }
    },
  )
  return list
}

function render(store: Store, notice: Notice): HTMLElement {
  const close = h<'button'>('button.notice-close', {
    type: 'button',
    'aria-label': 'Dismiss',
    onclick: () => dismiss(store, notice.id),
  })
  close.append(icon(GLYPHS.close))
  return h(`div.notice.${notice.tone}`, {}, h('span.notice-dot'), h('p', {}, notice.text), close)
}
