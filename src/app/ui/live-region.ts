import type { Store } from '../store'
import { h, setText } from './dom'

/** No sooner than this does the description change: it must leave time to be heard. */
const EVERY_MS = 5000

/** The drive in words, for a person who does not see it. Quiet while paused. */
export function createLive(store: Store, describe: () => string | null): HTMLElement {
  const live = h('p.live', { 'aria-live': 'polite', 'aria-atomic': 'true' })
  let told = ''
  setInterval(() => {
    const { phase, paused, prompt } = store.getState()
    if (phase !== 'ready' || paused) return
    const drive = describe()
    if (!drive) return
    setText(live, prompt === told ? drive : `${drive} Dreaming of ${prompt}.`)
    told = prompt
  }, EVERY_MS)
  return live
}
