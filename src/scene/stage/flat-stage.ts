import type { Pixels } from '../../engine/world'
import { fitFrame, type Rect, splitStage } from './layout'
import type { StageFace } from './types'

/** Without WebGL: the frame scaled by the browser on a 2D canvas, over a dark ground. No ambient edges, no transitions. */
export class FlatStage implements StageFace {
  readonly software = true
  private readonly canvas = document.createElement('canvas')
  private readonly context: CanvasRenderingContext2D
  private readonly sources: (HTMLCanvasElement | null)[] = []
  private readonly observer: ResizeObserver
  private count: 1 | 2 = 1
  private dim = 1
  private raf = 0
  private presented: (() => void)[] = []

  constructor(private readonly host: HTMLElement) {
    this.canvas.className = 'stage-canvas'
    this.context = this.canvas.getContext('2d', { alpha: false })!
    host.append(this.canvas)
    this.observer = new ResizeObserver(() => this.invalidate())
    this.observer.observe(host)
  }

  show(count: 1 | 2): void {
    this.count = count
    this.invalidate()
  }

  setDim(value: number): void {
    this.dim = value
    this.invalidate()
  }

  present(pane: number, pixels: Pixels, onPresented?: () => void): void {
    let source = this.sources[pane]
    if (!source || source.width !== pixels.width || source.height !== pixels.height) {
      source = document.createElement('canvas')
      source.width = pixels.width
      source.height = pixels.height
      this.sources[pane] = source
    }
    const image = new ImageData(pixels.width, pixels.height)
    image.data.set(pixels.data)
    source.getContext('2d')!.putImageData(image, 0, 0)
    if (onPresented) this.presented.push(onPresented)
    this.invalidate()
  }

  attach(pane: number, canvas: HTMLCanvasElement): void {
    this.sources[pane] = canvas
  }

  touch(_pane: number, _frameWidth: number, _frameHeight: number, onPresented?: () => void): void {
    if (onPresented) this.presented.push(onPresented)
    this.invalidate()
  }

  onOwnSize(): void {}

  close(): void {
    cancelAnimationFrame(this.raf)
    this.observer.disconnect()
    this.canvas.remove()
  }

  private invalidate(): void {
    if (!this.raf) this.raf = requestAnimationFrame(this.draw)
  }

  private readonly draw = (): void => {
    this.raf = 0
    const { clientWidth: width, clientHeight: height } = this.host
    if (this.canvas.width !== width) this.canvas.width = width
    if (this.canvas.height !== height) this.canvas.height = height
    const { context } = this
    context.fillStyle = '#06070a'
    context.fillRect(0, 0, width, height)
    context.imageSmoothingQuality = 'high'
    for (const [i, pane] of splitStage(width, height, this.count).entries())
      this.drawPane(pane, this.sources[i])
    const done = this.presented
    this.presented = []
    for (const callback of done) callback()
  }

  private drawPane(pane: Rect, source: HTMLCanvasElement | null | undefined): void {
    if (!source) return
    const frame = fitFrame(pane, source.width, source.height)
    const { context } = this
    context.save()
    context.beginPath()
    context.rect(pane.x, pane.y, pane.width, pane.height)
    context.clip()
    context.globalAlpha = this.dim
    context.drawImage(source, frame.x, frame.y, frame.width, frame.height)
    context.restore()
  }
}
