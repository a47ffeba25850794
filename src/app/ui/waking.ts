import { type Store, watch } from '../store'
import { h } from './dom'

/** The light that one wakes into for a moment where the dream breaks. */
export function createWaking(store: Store): HTMLElement {
  const light = h('div.waking', { 'aria-hidden': 'true' })
  watch(
    store,
    (s) => s.wakes,
    (wakes) => {
      light.classList.remove('now')
      void light.offsetWidth
      light.classList.toggle('now', wakes > 0)
    },
  )
  return light
}
