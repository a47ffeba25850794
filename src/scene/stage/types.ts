import type { Pixels } from '../../engine/world'
import type { Framing, Rect } from './layout'

/** Presents frames in one or two panes that fill an element. Draws only when something changed. */
export interface StageFace {
  /** True where frames are scaled on the processor, so that other effects had better be few. */
  readonly software: boolean
  /** Shows the first `count` panes. */
  show(count: 1 | 2, animate?: boolean): void
  /** Dims the picture (1 = as it is), as when paused. */
  setDim(value: number): void
  /** Says how frames lie in their panes; until then they cover them. */
  setFraming(framing: Framing): void
  /** Hears where the frames shown lie, CSS pixels from the top left of the stage, whenever that changes. */
  onFrames(listener: (frames: readonly Rect[]) => void): void
  /** Presents RGBA pixels in a pane (copied). `onPresented` runs once the browser has been given the picture. */
  present(pane: number, pixels: Pixels, onPresented?: () => void): void
  /** Gives a pane to a canvas that presents itself, for a world whose frames stay on the GPU. */
  attach(pane: number, canvas: HTMLCanvasElement): void
  /** Says that the canvas of a pane shows a new frame, so that its ambient light follows. */
  touch(pane: number, frameWidth: number, frameHeight: number, onPresented?: () => void): void
  /** Hears where the frame of each self-presenting canvas lies (device pixels), whenever that changes. */
  onOwnSize(listener: (pane: number, width: number, height: number) => void): void
  /** Frees everything. */
  close(): void
}

export type { Framing, Rect }
