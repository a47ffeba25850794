/** A rectangle in CSS pixels from the top left of the stage. */
export interface Rect {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** How a frame lies in its pane. */
export interface Framing {
  /** It covers the pane; else it keeps a size at which it is beautiful, in the part that the controls leave clear. */
  readonly full: boolean
  /** What controls cover of the stage above and below, CSS pixels. */
  readonly top: number
  readonly bottom: number
}

export const FULL: Framing = { full: true, top: 0, bottom: 0 }

/** CSS pixels for one of a frame's own. A small frame that is enlarged more shows what it is made of. */
export const MAX_PIXEL = 5
/** A frame that would be so much smaller beside the controls takes the whole pane, under them. */
const SMALL = 0.6
const MARGIN = 16
/** A pane less wide than this, as on an upright phone, is filled from side to side. */
const NARROW = 560
const RADIUS = 16

export interface Framed {
  readonly rect: Rect
  /** Of its corners, CSS pixels. Null where the frame is none: its border dissolves into the light around it. */
  readonly radius: number | null
}

/**
 * Where a frame lies in its pane, as `framing` says. On an upright stage the controls have a place of their own; on a low one
 * they may lie over the picture, as they hide while one drives.
 */
export function placeFrame(
  pane: Rect,
  frameWidth: number,
  frameHeight: number,
  stage: { readonly width: number; readonly height: number },
  framing: Framing,
): Framed {
  if (framing.full) {
    return { rect: fitFrame(pane, frameWidth, frameHeight, frameAnchor(pane, stage.height)), radius: null }
  }
  const top = Math.max(pane.y, framing.top) + MARGIN
  const bottom = Math.min(pane.y + pane.height, stage.height - framing.bottom) - MARGIN
  const side = pane.width < NARROW ? 0 : MARGIN
  const pixelIn = (width: number, height: number) =>
    Math.max(0, Math.min(width / frameWidth, height / frameHeight, MAX_PIXEL))
  const clear = pixelIn(pane.width - 2 * side, bottom - top)
  const whole = pixelIn(pane.width, pane.height)
  const pixel = clear > SMALL * whole || stage.height > stage.width ? clear : whole
  const width = frameWidth * pixel
  const height = frameHeight * pixel
  const middle = pixel === clear ? (top + bottom) / 2 : pane.y + pane.height / 2
  const rect = { x: pane.x + (pane.width - width) / 2, y: middle - height / 2, width, height }
  const isFree = Math.min(pane.width - width, pane.height - height) >= MARGIN
  return { rect, radius: isFree ? RADIUS : 0 }
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
 * Splits the stage into `count` panes: side by side on a wide stage, stacked on a tall one, where they share what the
 * controls leave clear. `split` (0..1) is the progress of the transition from the first pane filling everything.
 */
export function splitStage(
  width: number,
  height: number,
  count: number,
  split = 1,
  { full, top, bottom }: Framing = FULL,
): Rect[] {
  if (count <= 1) return [{ x: 0, y: 0, width, height }]
  const wide = width >= height
  const share = wide || full ? 1 / count : (top + (height - top - bottom) / count) / height
  const first = 1 - (1 - share) * split
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
