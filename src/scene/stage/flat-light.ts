import { CELLS, LIGHT, lightAt } from './ambient'
import type { Framed, Rect } from './layout'

const WIDTH = 40
const HEIGHT = 24
/** Part of the way to a new picture that the light goes, so that it does not flicker with every tick. */
const FOLLOW = 0.35

/** The ambient light of a pane without a GPU: the picture, tiny and stretched over the pane. The browser's scaling is the blur. */
export class FlatLight {
  readonly canvas = sized(WIDTH, HEIGHT)
  private readonly cells = sized(Math.round((CELLS * 5) / 3), CELLS)
  private readonly shade = sized(WIDTH, HEIGHT)
  private lit = false

  /** The pane or its frame has moved. A frame without corners is not surrounded by light that falls off. */
  place(pane: Rect, { rect, radius }: Framed): void {
    const context = this.shade.getContext('2d')!
    const image = context.createImageData(WIDTH, HEIGHT)
    for (let i = 0; i < WIDTH * HEIGHT; i++) {
      const x = pane.x + (((i % WIDTH) + 0.5) / WIDTH) * pane.width
      const y = pane.y + ((Math.floor(i / WIDTH) + 0.5) / HEIGHT) * pane.height
      image.data[i * 4 + 3] = 255 * (radius === null ? LIGHT : lightAt(x, y, rect))
    }
    context.putImageData(image, 0, 0)
    this.draw()
  }

  follow(picture: HTMLCanvasElement): void {
    const context = this.cells.getContext('2d')!
    context.imageSmoothingQuality = 'high'
    context.globalAlpha = this.lit ? FOLLOW : 1
    context.drawImage(picture, 0, 0, this.cells.width, this.cells.height)
    this.lit = true
    this.draw()
  }

  private draw(): void {
    const context = this.canvas.getContext('2d')!
    context.globalCompositeOperation = 'copy'
    context.drawImage(this.cells, 0, 0, WIDTH, HEIGHT)
    context.globalCompositeOperation = 'destination-in'
    context.drawImage(this.shade, 0, 0)
  }
}

function sized(width: number, height: number): HTMLCanvasElement {
  return Object.assign(document.createElement('canvas'), { width, height })
}
