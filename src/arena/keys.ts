import { isTyping } from '../app/input/keyboard'
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
    if (isTyping(event.target) || event.ctrlKey || event.metaKey || event.altKey) return
    const { results } = store.getState()
    const onButton = event.target instanceof HTMLElement && event.target.closest('button, a') !== null
    const run = results ? resultKey(event.key, commands) : roundKey(event.key, onButton, commands)
    if (!run) return
    event.preventDefault()
    if (!event.repeat) run()
  })
}

function resultKey(key: string, commands: Commands): (() => void) | null {
  return key === 'Escape' || key.toLowerCase() === 't' ? commands.closeResults : null
}

function roundKey(key: string, onButton: boolean, commands: Commands): (() => void) | null {
  const verdict = VERDICT_KEYS[key]
  if (verdict) return () => commands.answer(verdict)
  if (key === 'Enter' && !onButton) return commands.next
  if (key === ' ' && !onButton) return commands.again
  if (key === 'Backspace') return commands.takeBack
  if (key.toLowerCase() === 't') return commands.toggleResults
  return null
}
