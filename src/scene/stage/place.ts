import type { Framed, Rect } from './layout'

/** The part of a frame's height over which its border dissolves into the ambient light. */
export const FEATHER = 0.11

/**
 * Lays a canvas over its frame. With corners (`radius`) it is a framed picture; else it is cropped to the pane, and feathered
 * where it does not fill it.
 */
export function placeCanvas(
  canvas: HTMLCanvasElement,
  pane: Rect,
  { rect: frame, radius }: Framed,
  opacity: number,
): void {
  Object.assign(canvas.style, {
    visibility: 'visible',
    transform: `translate(${frame.x.toFixed(2)}px, ${frame.y.toFixed(2)}px)`,
    width: `${frame.width.toFixed(2)}px`,
    height: `${frame.height.toFixed(2)}px`,
    opacity: opacity.toFixed(3),
    borderRadius: `${radius ?? 0}px`,
    ...(radius === null ? cropped(pane, frame) : { clipPath: 'none', maskImage: 'none' }),
  })
}

function cropped(pane: Rect, frame: Rect) {
  const feather = `${(frame.height * FEATHER).toFixed(1)}px`
  const fade = (axis: string) =>
    `linear-gradient(${axis}, transparent, #000 ${feather}, #000 calc(100% - ${feather}), transparent)`
  const masks: string[] = []
  if (pane.width - frame.width > 0.5) masks.push(fade('to right'))
  if (pane.height - frame.height > 0.5) masks.push(fade('to bottom'))
  const crop = [
    pane.y - frame.y,
    frame.x + frame.width - pane.x - pane.width,
    frame.y + frame.height - pane.y - pane.height,
    pane.x - frame.x,
  ].map((side) => `${Math.max(0, side).toFixed(2)}px`)
  return {
    clipPath: `inset(${crop.join(' ')})`,
    maskImage: masks.join(', ') || 'none',
    maskComposite: 'intersect',
    maskRepeat: 'no-repeat',
  }
}
