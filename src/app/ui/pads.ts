import type { Direction } from '../../engine/controls'
import { type Store, watch } from '../store'
import { GLYPHS, h, icon } from './dom'

export interface PadPort {
  press(key: string, direction: Direction, atMs: number): void
  release(key: string, atMs: number): void
}

/** Touch controls: steer under the left thumb, go and brake under the right. A thumb may slide from one to its neighbour. */
export function createPads(store: Store, port: PadPort): HTMLElement {
  const steer = cluster(port, 'pads-steer', ['left', 'right'])
  const drive = cluster(port, 'pads-drive', ['down', 'up'])
  const host = h('div.pads', { 'aria-hidden': 'true' }, steer.element, drive.element)
  watch(
    store,
    (s) => s.held,
    (held) => {
      steer.light('left', held.steer < 0)
      steer.light('right', held.steer > 0)
      drive.light('up', held.throttle > 0)
      drive.light('down', held.throttle < 0)
    },
  )
  watch(
    store,
    (s) => s.touch,
    (touch) => host.classList.toggle('on', touch),
  )
  return host
}

const NAMES: Record<Direction, string> = { left: '', right: '', up: 'go', down: 'brake' }

function cluster(port: PadPort, className: string, directions: readonly Direction[]) {
  const buttons = new Map(
    directions.map((direction) => {
      const button = h(`div.pad.pad-${direction}`, { 'data-direction': direction }, icon(GLYPHS[direction]))
      if (NAMES[direction]) button.append(h('span', {}, NAMES[direction]))
      return [direction, button] as const
    }),
  )
  const element = h(`div.pad-cluster.${className}`, {}, ...buttons.values())
  const pointers = new Map<number, Direction>()

  const nearest = (event: PointerEvent): Direction => {
    let best = directions[0]!
    let distance = Number.POSITIVE_INFINITY
    for (const [direction, button] of buttons) {
      const box = button.getBoundingClientRect()
      const away = Math.hypot(event.clientX - box.x - box.width / 2, event.clientY - box.y - box.height / 2)
      if (away < distance) {
        distance = away
        best = direction
      }
    }
    return best
  }
  const move = (event: PointerEvent) => {
    const before = pointers.get(event.pointerId)
    const direction = nearest(event)
    if (before === direction) return
    const key = `touch-${event.pointerId}`
    if (before) port.release(key, event.timeStamp)
    pointers.set(event.pointerId, direction)
    port.press(key, direction, event.timeStamp)
  }
  const end = (event: PointerEvent) => {
    if (pointers.delete(event.pointerId)) port.release(`touch-${event.pointerId}`, event.timeStamp)
  }
  element.addEventListener('pointerdown', (event) => {
    event.preventDefault()
    element.setPointerCapture(event.pointerId)
    move(event)
  })
  element.addEventListener('pointermove', (event) => {
    if (pointers.has(event.pointerId)) move(event)
  })
  element.addEventListener('pointerup', end)
  element.addEventListener('pointercancel', end)
  element.addEventListener('contextmenu', (event) => event.preventDefault())
  return {
    element,
    light: (direction: Direction, on: boolean) => buttons.get(direction)?.classList.toggle('held', on),
  }
}
