import type { Rect } from './layout'

/** Brightness of the ambient light beside a frame, of the frame's own. Text on it stays readable over any picture. */
export const LIGHT = 0.58
/** It falls to 1/e of that in so many frame heights. */
export const FALL = 0.95
/** Cells that the picture is averaged over for it, from top to bottom: light has a colour and a side, and no shapes. */
export const CELLS = 4

/** Brightness of the light at a point of the stage, CSS pixels. */
export function lightAt(x: number, y: number, frame: Rect): number {
  const right = Math.max(frame.x - x, x - frame.x - frame.width, 0)
  const below = Math.max(frame.y - y, y - frame.y - frame.height, 0)
  return LIGHT * Math.exp(-Math.hypot(right, below) / frame.height / FALL)
}
