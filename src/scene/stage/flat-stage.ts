import type { Pixels } from '../../engine/world'
import { Doubled } from './doubled'
import { FlatLight } from './flat-light'
import { Frames } from './frames'
import { type Framing, FULL, placeFrame, type Rect, splitStage } from './layout'
import { placeCanvas } from './place'
import type { StageFace } from './types'

interface Pane {
  readonly light: FlatLight
  readonly frame: HTMLCanvasElement
  readonly doubled: Doubled
  /** Of the world's frame. */
  width: number
  height: number
  /** A canvas that presents itself, in the place of `frame`. */
  own: HTMLCanvasElement | null
  shown: boolean
}

/**
 * The stage without a GPU. Frames go to a small canvas that the browser enlarges, which costs the processor a fraction of
 * what drawing GL in software does, and leaves that to the world.
 */
export class FlatStage implements StageFace {
  readonly software = true
  private readonly panes: Pane[] = []
  private readonly observer: ResizeObserver
  private count: 1 | 2 = 1
  private dim = 1
  private raf = 0
  private moved = true
  private presented: (() => void)[] = []
  private framing = FULL
  private readonly frames = new Frames()
  private heardOwnSize: (pane: number, width: number, height: number) => void = () => {}

  constructor(private readonly host: HTMLElement) {
    this.observer = new ResizeObserver(() => this.layOut())
    this.observer.observe(host)
  }

  show(count: 1 | 2): void {
    this.count = count
    this.layOut()
  }

  setDim(value: number): void {
    this.dim = value
    this.layOut()
  }

  setFraming(framing: Framing): void {
    this.framing = framing
    this.layOut()
  }

  onFrames(listener: (frames: readonly Rect[]) => void): void {
    this.frames.hear(listener)
    this.layOut()
  }

  present(index: number, pixels: Pixels, onPresented?: () => void): void {
    const pane = this.pane(index)
    if (pane.own) {
      pane.own.remove()
      pane.own = null
      this.host.append(pane.frame)
      this.layOut()
    }
    const { frame } = pane
    const image = pane.doubled.draw(pixels)
    if (frame.width !== image.width || frame.height !== image.height) {
      frame.width = image.width
      frame.height = image.height
    }
    this.measure(pane, pixels.width, pixels.height)
    frame.getContext('2d')!.putImageData(image, 0, 0)
    this.lit(pane, frame, onPresented)
  }

  attach(index: number, canvas: HTMLCanvasElement): void {
    const pane = this.pane(index)
    if (pane.own === canvas) return
    pane.own?.remove()
    pane.frame.remove()
    pane.own = canvas
    canvas.classList.add('stage-own')
    this.host.append(canvas)
    this.layOut()
  }

  touch(index: number, frameWidth: number, frameHeight: number, onPresented?: () => void): void {
    const pane = this.pane(index)
    if (!pane.own) return
    this.measure(pane, frameWidth, frameHeight)
    this.lit(pane, pane.own, onPresented)
  }

  onOwnSize(listener: (pane: number, width: number, height: number) => void): void {
    this.heardOwnSize = listener
    this.layOut()
  }

  close(): void {
    cancelAnimationFrame(this.raf)
    this.observer.disconnect()
    this.host.replaceChildren()
  }

  private pane(index: number): Pane {
    while (this.panes.length <= index) {
      const light = new FlatLight()
      const frame = document.createElement('canvas')
      light.canvas.className = frame.className = 'stage-own'
      this.host.append(light.canvas, frame)
      this.panes.push({ light, frame, doubled: new Doubled(), width: 0, height: 0, own: null, shown: false })
      this.layOut()
    }
    return this.panes[index]!
  }

  private measure(pane: Pane, width: number, height: number): void {
    if (pane.width === width && pane.height === height) return
    Object.assign(pane, { width, height })
    this.layOut()
  }

  /** A pane has a new picture: its ambient light follows. */
  private lit(pane: Pane, picture: HTMLCanvasElement, onPresented?: () => void): void {
    if (pane.light.canvas.style.visibility !== 'hidden') pane.light.follow(picture)
    if (!pane.shown) {
      pane.shown = true
      this.layOut()
    }
    if (onPresented) this.presented.push(onPresented)
    this.invalidate()
  }

  private layOut(): void {
    this.moved = true
    this.invalidate()
  }

  private invalidate(): void {
    if (!this.raf) this.raf = requestAnimationFrame(this.draw)
  }

  private readonly draw = (): void => {
    this.raf = 0
    if (this.moved) {
      this.moved = false
      const { clientWidth, clientHeight } = this.host
      const rects = splitStage(clientWidth, clientHeight, this.count, 1, this.framing)
      for (const [i, pane] of this.panes.entries()) this.place(i, pane, rects[i])
      this.frames.tell(this.count)
    }
    const done = this.presented
    this.presented = []
    for (const callback of done) callback()
  }

  private place(index: number, pane: Pane, rect: Rect | undefined): void {
    const picture = pane.own ?? pane.frame
    const light = pane.light.canvas
    if (!rect || !pane.shown) {
      light.style.visibility = picture.style.visibility = 'hidden'
      return
    }
    const { clientWidth, clientHeight } = this.host
    const stage = { width: clientWidth, height: clientHeight }
    const placed = placeFrame(rect, pane.width, pane.height, stage, this.framing)
    const frame = placed.rect
    this.frames.put(index, frame)
    placeCanvas(picture, rect, placed, this.dim)
    placeCanvas(light, rect, { rect, radius: null }, this.dim)
    if (frame.width >= rect.width && frame.height >= rect.height) light.style.visibility = 'hidden'
    else pane.light.place(rect, placed)
    if (pane.own) this.heardOwnSize(index, Math.round(frame.width), Math.round(frame.height))
  }
}
