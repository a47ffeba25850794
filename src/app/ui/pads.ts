import { type Action, type Move, spaceOf } from '../../engine/controls'
import { type Store, watch } from '../store'
import { h } from './dom'
import { arrowOf, faceOf } from './key-caps'

export interface PadPort {
  press(key: string, move: Move, atMs: number): void
  release(key: string, atMs: number): void
}

/** Touch controls: the first under the left thumb, the others under the right. A thumb may slide from one to its neighbour. */
export function createPads(store: Store, port: PadPort): HTMLElement {
  const host = h('div.pads', { 'aria-hidden': 'true' })
  let clusters: Cluster[] = []
  watch(
    store,
    (s) => s.controls,
    (controls) => {
      const { moves } = spaceOf(controls)
      const first = moves.filter(({ control }) => control === controls[0]!.name)
      const others = moves.filter(({ control }) => control !== controls[0]!.name)
      clusters = [cluster(port, 'pads-left', first), cluster(port, 'pads-right', others)]
      host.replaceChildren(...clusters.map(({ element }) => element))
    },
  )
  watch(
    store,
    (s) => s.held,
    (held) => {
      for (const { light } of clusters) light(held)
    },
  )
  watch(
    store,
    (s) => s.touch,
    (touch) => host.classList.toggle('on', touch),
  )
  return host
}

interface Cluster {
  readonly element: HTMLElement
  light(held: Action): void
}

function cluster(port: PadPort, className: string, moves: readonly Move[]): Cluster {
  const buttons = new Map(
    moves.map((move) => {
      const button = h('div.pad', { 'data-move': move.id }, faceOf(move))
      const arrow = arrowOf(move)
      if (arrow && arrow !== move.label) button.append(h('span', {}, move.label))
      return [move, button] as const
    }),
  )
  const element = h(`div.pad-cluster.${className}`, {}, ...buttons.values())
  const pointers = new Map<number, Move>()

  const nearest = (event: PointerEvent): Move => {
    let best = moves[0]!
    let distance = Number.POSITIVE_INFINITY
    for (const [move, button] of buttons) {
      const box = button.getBoundingClientRect()
      const away = Math.hypot(event.clientX - box.x - box.width / 2, event.clientY - box.y - box.height / 2)
      if (away < distance) {
        distance = away
        best = move
      }
    }
    return best
  }
  const slide = (event: PointerEvent) => {
    const before = pointers.get(event.pointerId)
    const move = nearest(event)
    if (before === move) return
    const key = `touch-${event.pointerId}`
    if (before) port.release(key, event.timeStamp)
    pointers.set(event.pointerId, move)
    port.press(key, move, event.timeStamp)
  }
  const end = (event: PointerEvent) => {
    if (pointers.delete(event.pointerId)) port.release(`touch-${event.pointerId}`, event.timeStamp)
  }
  element.addEventListener('pointerdown', (event) => {
    event.preventDefault()
    element.setPointerCapture(event.pointerId)
    slide(event)
  })
  element.addEventListener('pointermove', (event) => {
    if (pointers.has(event.pointerId)) slide(event)
  })
  element.addEventListener('pointerup', end)
  element.addEventListener('pointercancel', end)
  element.addEventListener('contextmenu', (event) => event.preventDefault())
  return {
    element,
    light(held) {
      for (const [{ control, value }, button] of buttons) {
        button.classList.toggle('held', held[control] === value)
      }
    },
  }
}
