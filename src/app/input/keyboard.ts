import type { Move } from '../../engine/controls'

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
  | 'assist'
  | 'bleed'
  | 'save'
  | 'run'
  | 'still'
  | 'loop'
  | 'sound'
  | 'fullscreen'
  | 'help'
  | 'escape'

/** By the character that the key types, lower case, so that a command is where its letter is on the keyboard. */
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
  k: 'assist',
  b: 'bleed',
  l: 'save',
  g: 'run',
  i: 'still',
  o: 'loop',
  m: 'sound',
  f: 'fullscreen',
  '?': 'help',
  escape: 'escape',
}
/** By place on the keyboard, for layouts that type no Latin letters: there a letter is where a Latin layout has it. */
const COMMAND_PLACES: Readonly<Record<string, Command>> = {
  KeyP: 'pause',
  Period: 'step',
  KeyR: 'reset',
  KeyN: 'new-seed',
  Slash: 'prompt',
  KeyH: 'hud',
  KeyV: 'view',
  KeyC: 'cruise',
  KeyK: 'assist',
  KeyB: 'bleed',
  KeyL: 'save',
  KeyG: 'run',
  KeyI: 'still',
  KeyO: 'loop',
  KeyM: 'sound',
  KeyF: 'fullscreen',
}
/**
 * Finds the command of a key. It remembers whether the layout types Latin letters: on one that does not, punctuation lies
 * elsewhere too (in Russian `.` is on the place of `/`), and on a Latin one that is nothing to mend (so it is in Turkish).
 */
export function createCommandReader(): (
  event: Pick<KeyboardEvent, 'key' | 'code' | 'shiftKey'>,
) => Command | undefined {
  let isLatin = true
  return ({ key, code, shiftKey }) => {
    if (/^\p{L}$/u.test(key)) isLatin = /^\p{Script=Latin}$/u.test(key)
    // An input method that is at work tells the place only.
    const byPlace = !isLatin || key === 'Process' || key === 'Unidentified'
    if (!byPlace || key === '?' || !COMMAND_PLACES[code]) return COMMAND_KEYS[key.toLowerCase()]
    return code === 'Slash' && shiftKey ? 'help' : COMMAND_PLACES[code]
  }
}

/** Commands that go on while their key is held. */
const REPEATING: ReadonlySet<Command> = new Set(['step', 'rewind'])

export interface KeyboardHandlers {
  /** Of the world that is driven; its keys come before the page's own. */
  moves(): readonly Move[]
  press(key: string, move: Move, atMs: number): void
  release(key: string, atMs: number): void
  /** Left out, there are no commands, and their keys are left to the page. */
  command?(command: Command): void
}

/** True where key presses belong to a text field and must not drive. */
export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false
  if (target.isContentEditable || target instanceof HTMLTextAreaElement) return true
  return target instanceof HTMLInputElement && target.type !== 'range' && target.type !== 'button'
}

/** True while an input method takes the keys: Escape and Enter are for it, and not for the field. Safari tells by 229. */
export function isComposing(event: KeyboardEvent): boolean {
  return event.isComposing || event.keyCode === 229
}

/** True for the key of a letter: by what it types, and by its place on a layout that types no Latin letters. */
export function isLetter({ key, code }: Pick<KeyboardEvent, 'key' | 'code'>, letter: string): boolean {
  return (
    key.toLowerCase() === letter ||
    (code === `Key${letter.toUpperCase()}` && !/^\p{Script=Latin}$/u.test(key))
  )
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
  const commandOf = createCommandReader()
  const down = (event: KeyboardEvent) => {
    const command = commandOf(event)
    if (isTyping(event.target) || event.ctrlKey || event.metaKey || event.altKey || isComposing(event)) return
    const move = handlers.moves().find(({ keys }) => keys.includes(event.code))
    if (move && isSlider(event.target) && event.code.startsWith('Arrow')) return
    if (move) {
      event.preventDefault()
      if (!event.repeat) handlers.press(event.code, move, event.timeStamp)
      return
    }
    if (!command || !handlers.command) return
    const onButton = event.target instanceof HTMLElement && event.target.closest('button, a, input') !== null
    // A slider has no use for either.
    if (onButton && !isSlider(event.target) && (event.key === 'Enter' || event.key === ' ')) return
    // Escape closes what the browser has opened, too: menus.
    if (command !== 'escape') event.preventDefault()
    if (!event.repeat || REPEATING.has(command)) handlers.command(command)
  }
  const up = (event: KeyboardEvent) => {
    // macOS tells of no key that is let go while Meta is down.
    const driving = handlers.moves().flatMap(({ keys }) => keys)
    const codes = event.key === 'Meta' ? driving : [event.code]
    for (const code of codes) if (driving.includes(code)) handlers.release(code, event.timeStamp)
  }
  window.addEventListener('keydown', down)
  window.addEventListener('keyup', up)
  return () => {
    window.removeEventListener('keydown', down)
    window.removeEventListener('keyup', up)
  }
}
