import type { FailureAction } from '../failures'
import { type Store, watch } from '../store'
import { h } from './dom'
import { takeFocus } from './focus'

/** What went wrong, in a sentence, and what can be done about it. Lies over whatever still plays. */
export function createFailureCard(store: Store, act: (action: FailureAction) => void): HTMLElement {
  const host = h('div.failure-host')
  let giveBack: (() => void) | null = null
  watch(
    store,
    (s) => s.failure,
    (failure) => {
      host.replaceChildren()
      host.classList.toggle('open', failure !== null)
      if (!failure) {
        giveBack?.()
        giveBack = null
        return
      }
      const buttons = failure.actions.map(({ action, label }, i) =>
        h<'button'>(
          `button.pill${i === 0 ? '.primary' : ''}`,
          { type: 'button', onclick: () => act(action) },
          label,
        ),
      )
      host.append(
        h(
          'section.failure',
          { role: 'alertdialog', 'aria-label': failure.title, 'data-code': failure.code },
          h('h2', {}, failure.title),
          h('p', {}, failure.sentence),
          failure.detail ? h('p.failure-detail', {}, failure.detail) : null,
          h('div.failure-actions', {}, ...buttons),
        ),
      )
      const back = takeFocus(host, buttons[0]!)
      giveBack ??= back
    },
  )
  return host
}
