/** A rectangle in CSS pixels from the top left of the stage. */
export interface Rect {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/**
 * How far past "contain" a frame may grow, as a factor of its contained size. At 1.42 at most 30 % of the
 * frame is cropped along one axis; beyond that the ambient edges fill what is left of the pane.
 */
export const MAX_ZOOM = 1.42
/** A stage below so many CSS pixels is low. */
const LOW = 480

/**
 * Where the frame lies in a pane: it covers the pane where that costs little of the picture, and otherwise
 * grows up to {@link MAX_ZOOM} past "contain". The result may reach beyond the pane (the crop) or leave room
 * around it (the ambient edges). `anchor` (0..1) is the part of the spare height, or of the crop, that is above:
 * 0.5 centres the frame.
 */
export function fitFrame(pane: Rect, frameWidth: number, frameHeight: number, anchor = 0.5): Rect {
  const contain = Math.min(pane.width / frameWidth, pane.height / frameHeight)
  const cover = Math.max(pane.width / frameWidth, pane.height / frameHeight)
  const scale = Math.min(cover, contain * MAX_ZOOM)
  const width = frameWidth * scale
  const height = frameHeight * scale
  const spare = pane.height - height
  return {
    x: pane.x + (pane.width - width) / 2,
    y: pane.y + spare * anchor,
    width,
    height,
  }
}

/**
 * On a tall stage with one pane the picture sits above the middle: the controls live below it. On a low one, as of a
 * phone held sideways, they cover the lower third, so what is cropped is sky.
 */
export function frameAnchor(pane: Rect, stageHeight: number): number {
  if (stageHeight < LOW && pane.width > pane.height) return 1
  return pane.height === stageHeight && pane.height > pane.width ? 0.32 : 0.5
}

/**
 * Splits the stage into `count` panes: side by side on a wide stage, stacked on a tall one.
 * `split` (0..1) is the progress of the transition from the first pane filling everything.
 */
export function splitStage(width: number, height: number, count: number, split = 1): Rect[] {
  if (count <= 1) return [{ x: 0, y: 0, width, height }]
  const wide = width >= height
  const first = 1 - (1 - 1 / count) * split
  const rest = (1 - first) / (count - 1)
  return Array.from({ length: count }, (_, i) => {
    const from = i === 0 ? 0 : first + rest * (i - 1)
    const share = i === 0 ? first : rest
    return wide
      ? { x: width * from, y: 0, width: width * share, height }
      : { x: 0, y: height * from, width, height: height * share }
  })
}

/** Device pixels per CSS pixel for a stage of this size: the display's own, within a budget of pixels. */
export function renderScale(width: number, height: number, devicePixelRatio: number, budget: number): number {
  const wanted = Math.min(devicePixelRatio, 2)
  const area = Math.max(1, width * height)
  return Math.min(wanted, Math.sqrt(budget / area))
}
