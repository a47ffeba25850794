import { OneiroError } from '../../engine/errors'
import { BACK_WITHIN_MS } from '../context'
import { DriveRenderer } from './renderer'

type Canvas = HTMLCanvasElement | OffscreenCanvas

/** The browser took the simulator's graphics away and gives none back. */
export class GraphicsLostError extends OneiroError {
  constructor(options?: { cause?: unknown }) {
    super(
      'GRAPHICS_LOST',
      'The simulator needs WebGL, but the browser took it away and gives it back to no canvas. Close other tabs and load the page again.',
      options,
    )
  }
}

/** The simulator's renderer, and another one where its WebGL context is lost. */
export class RecoveringRenderer {
  renderer: DriveRenderer

  constructor(
    private canvas = blankCanvas(),
    private readonly make = (canvas?: Canvas) => new DriveRenderer(canvas),
    private readonly withinMs = BACK_WITHIN_MS,
  ) {
    this.renderer = make(canvas)
  }

  /** True where what was drawn last is no picture. */
  get lost(): boolean {
    const gl = this.canvas?.getContext('webgl2') as WebGL2RenderingContext | null | undefined
    return gl?.isContextLost() ?? false
  }

  /** Waits until it can be drawn again: on the same canvas, or after some seconds on another. */
  async recover(): Promise<void> {
    const { canvas } = this
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, this.withinMs)
      // three.js takes its context up again first: it listens for longer.
      canvas?.addEventListener('webglcontextrestored', () => {
        clearTimeout(timer)
        resolve()
      })
    })
    if (!this.lost) return
    try {
      this.renderer.dispose()
      this.canvas = blankCanvas()
      this.renderer = this.make(this.canvas)
    } catch (cause) {
      throw new GraphicsLostError({ cause })
    }
    if (this.lost) throw new GraphicsLostError()
  }
}

/** Undefined outside a browser. */
function blankCanvas(): Canvas | undefined {
  return typeof document === 'undefined' ? undefined : document.createElement('canvas')
}
