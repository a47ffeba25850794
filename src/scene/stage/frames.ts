import type { Rect } from './layout'

/** Tells where the frames of a stage lie, whenever that has changed. */
export class Frames {
  private rects: Rect[] = []
  private told = ''
  private listener: (frames: readonly Rect[]) => void = () => {}

  hear(listener: (frames: readonly Rect[]) => void): void {
    this.listener = listener
    this.told = ''
  }

  put(pane: number, rect: Rect): void {
    this.rects[pane] = rect
  }

  /** Of the first `count` panes. */
  tell(count: number): void {
    const frames = this.rects.slice(0, count)
    const now = JSON.stringify(frames)
    if (now === this.told) return
    this.told = now
    this.listener(frames)
  }
}
