import './branches.css'
import type { Branch } from '../../engine/timeline'
import { type Store, watch } from '../store'
import { h, letGoAfter } from '../ui/dom'

/** Futures that were left, as pictures of where they ended; a click goes on there. */
export function createBranches(store: Store, returnTo: (branch: Branch) => void): HTMLElement {
  const row = h('div.branches', { role: 'group', 'aria-label': 'Futures that were left' })
  const drawn = new Map<number, HTMLElement>()
  const show = () => {
    const { branches, run, shown } = store.getState()
    // During a run there is no other future; two worlds have no one picture.
    row.hidden = branches.length === 0 || run !== null || shown === 'both'
    for (const id of drawn.keys()) if (!branches.some((branch) => branch.id === id)) drawn.delete(id)
    for (const branch of branches)
      if (!drawn.has(branch.id)) drawn.set(branch.id, thumbnail(branch, store, returnTo))
    row.replaceChildren(...branches.map(({ id }) => drawn.get(id)!))
  }
  for (const name of ['branches', 'run', 'shown'] as const) watch(store, (s) => s[name], show)
  return row
}

function thumbnail(branch: Branch, store: Store, returnTo: (branch: Branch) => void): HTMLElement {
  const { frame, from, to } = branch
  const seconds = ((to - from) / store.getState().nominalRate).toFixed(0)
  const name = `Return to the future left at tick ${from}, which went on for ${seconds} s`
  const canvas = h<'canvas'>('canvas', { width: frame?.width ?? 160, height: frame?.height ?? 96 })
  if (frame) {
    const { width, height, data } = frame
    canvas.getContext('2d')?.putImageData(new ImageData(data as ImageDataArray, width, height), 0, 0)
  }
  return h<'button'>(
    'button.branch',
    {
      type: 'button',
      title: name,
      'aria-label': name,
      onclick(event: MouseEvent) {
        letGoAfter(event)
        returnTo(branch)
      },
    },
    canvas,
    h('span', { 'aria-hidden': 'true' }, `${seconds} s`),
  )
}
