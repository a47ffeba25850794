import type { Direction } from '../../engine/controls'

/** Keys that drive, by `KeyboardEvent.code`, so that WASD lies under the same fingers on every layout. */
export const DRIVE_KEYS: Readonly<Record<string, Direction>> = {
  ArrowLeft: 'left',
  ArrowRight: 'right',
  ArrowUp: 'up',
  ArrowDown: 'down',
  KeyA: 'left',
  KeyD: 'right',
  KeyW: 'up',
  KeyS: 'down',
}

/** What a key that does not drive asks the page to do. */
export type Command =
  | 'pause'
  | 'step'
  | 'rewind'
  | 'reset'
  | 'new-seed'
  | 'prompt'
  | 'hud'
  | 'view'
  | 'cruise'
  | 'save'
  | 'fullscreen'
  | 'help'
  | 'escape'

/** By `KeyboardEvent.key`, lower case. */
const COMMAND_KEYS: Readonly<Record<string, Command>> = {
  ' ': 'pause',
  p: 'pause',
  '.': 'step',
  backspace: 'rewind',
  r: 'reset',
  n: 'new-seed',
  '/': 'prompt',
  enter: 'prompt',
  h: 'hud',
  v: 'view',
  c: 'cruise',
  l: 'save',
  f: 'fullscreen',
  '?': 'help',
  escape: 'escape',
}
/** Commands that go on while their key is held. */
const REPEATING: ReadonlySet<Command> = new Set(['step', 'rewind'])

export interface KeyboardHandlers {
  press(key: string, direction: Direction, atMs: number): void
  release(key: string, atMs: number): void
  command(command: Command): void
}

/** True where key presses belong to a text field and must not drive. */
export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false
  if (target.isContentEditable || target instanceof HTMLTextAreaElement) return true
  return target instanceof HTMLInputElement && target.type !== 'range' && target.type !== 'button'
}

/** A slider is moved by arrow keys, and drives by none of them while it has the focus. */
function isSlider(target: EventTarget | null): boolean {
  return target instanceof HTMLInputElement && target.type === 'range'
}

/**
 * Listens on the window. Presses inside a text field never drive and never command; releases always count, so that a key
 * held before typing is let go when it is let go. Returns how to stop.
 */
export function attachKeyboard(handlers: KeyboardHandlers): () => void {
  const down = (event: KeyboardEvent) => {
    if (isTyping(event.target) || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return
    const direction = DRIVE_KEYS[event.code]
    if (direction && isSlider(event.target) && event.code.startsWith('Arrow')) return
    if (direction) {
      event.preventDefault()
      if (!event.repeat) handlers.press(event.code, direction, event.timeStamp)
      return
    }
    const command = COMMAND_KEYS[event.key.toLowerCase()]
    if (!command) return
    const onButton = event.target instanceof HTMLElement && event.target.closest('button, a, input') !== null
    if (onButton && (event.key === 'Enter' || event.key === ' ')) return
    event.preventDefault()
    if (!event.repeat || REPEATING.has(command)) handlers.command(command)
  }
  const up = (event: KeyboardEvent) => {
    // macOS tells of no key that is let go while Meta is down.
    const codes = event.key === 'Meta' ? Object.keys(DRIVE_KEYS) : [event.code]
    for (const code of codes) if (DRIVE_KEYS[code]) handlers.release(code, event.timeStamp)
  }
  window.addEventListener('keydown', down)
  window.addEventListener('keyup', up)
  return () => {
    window.removeEventListener('keydown', down)
    window.removeEventListener('keyup', up)
  }
}
