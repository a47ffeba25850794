import type { Move } from '../../engine/controls'
import { GLYPHS, h, icon } from './dom'

const ARROWS = { ArrowUp: 'up', ArrowLeft: 'left', ArrowDown: 'down', ArrowRight: 'right' } as const
const SIGNS: Readonly<Record<string, string>> = {
  ArrowUp: '↑',
  ArrowLeft: '←',
  ArrowDown: '↓',
  ArrowRight: '→',
}

/** The arrow key that asks for a move, if one does. */
export function arrowOf({ keys }: Move): 'up' | 'left' | 'down' | 'right' | null {
  const code = keys.find((code) => code in ARROWS)
  return code ? ARROWS[code as keyof typeof ARROWS] : null
}

/** A key as people call it: `KeyA` is A. */
export function keyName(code: string): string {
  return SIGNS[code] ?? code.replace(/^(Key|Digit|Numpad)(?=.)/, '')
}

/** What stands on a key or pad of a move: its arrow, or its label. */
export function faceOf(move: Move): HTMLElement | SVGElement {
  const arrow = arrowOf(move)
  return arrow ? icon(GLYPHS[arrow]) : h('span', {}, move.label)
}
