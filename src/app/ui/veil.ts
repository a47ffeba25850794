import { type Store, watch } from '../store'
import { h, setText } from './dom'

/** The dark before the first frame: the name, what is being done, and how far it is. */
export function createVeil(store: Store): HTMLElement {
  const label = h('p.veil-label', { role: 'status' })
  const bar = h('div.veil-bar')
  const track = h('div.veil-track', { role: 'progressbar', 'aria-label': 'Loading' }, bar)
  const veil = h('div.veil', {}, h('div.veil-moon'), h('h1.veil-name', {}, 'Oneiro'), track, label)
  watch(
    store,
    (s) => s.loading,
    (loading) => {
      if (!loading) return
      setText(label, loading.label)
      track.classList.toggle('unknown', loading.fraction === null)
      track.classList.toggle('creeping', loading.creeping === true)
      if (loading.fraction !== null) {
        bar.style.transform = `scaleX(${loading.fraction.toFixed(4)})`
        track.setAttribute('aria-valuenow', String(Math.round(loading.fraction * 100)))
      } else {
        bar.style.transform = ''
        track.removeAttribute('aria-valuenow')
      }
    },
  )
  watch(
    store,
    (s) => s.phase,
    (phase) => {
      veil.classList.toggle('gone', phase !== 'loading')
      veil.setAttribute('aria-hidden', String(phase !== 'loading'))
    },
  )
  return veil
}
