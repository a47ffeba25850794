import { isComposing, isLetter, isTyping } from '../app/input/keyboard'
import type { Commands } from './commands'
import type { ArenaStore } from './store'
import type { Verdict } from './votes'

const VERDICT_KEYS: Readonly<Record<string, Verdict>> = {
  ArrowLeft: 'left',
  ArrowDown: 'neither',
  ArrowRight: 'right',
}

/** Everything can be done with keys alone; buttons keep their own Enter and Space. */
export function attachKeys(store: ArenaStore, commands: Commands): void {
  window.addEventListener('keydown', (event) => {
    if (isTyping(event.target) || event.ctrlKey || event.metaKey || event.altKey || isComposing(event)) return
    const { results } = store.getState()
    const onButton = event.target instanceof HTMLElement && event.target.closest('button, a') !== null
    const run = results ? resultKey(event, commands) : roundKey(event, onButton, commands)
    if (!run) return
    event.preventDefault()
    if (!event.repeat) run()
  })
}

function resultKey(event: KeyboardEvent, commands: Commands): (() => void) | null {
  return event.key === 'Escape' || isLetter(event, 't') ? commands.closeResults : null
}

function roundKey(event: KeyboardEvent, onButton: boolean, commands: Commands): (() => void) | null {
  const { key } = event
  const verdict = VERDICT_KEYS[key]
  if (verdict) return () => commands.answer(verdict)
  if (key === 'Enter' && !onButton) return commands.next
  if (key === ' ' && !onButton) return commands.again
  if (key === 'Backspace') return commands.takeBack
  if (isLetter(event, 't')) return commands.toggleResults
  return null
}
