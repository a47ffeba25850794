import {
  DataTexture,
  GLSL3,
  LinearFilter,
  LinearMipmapLinearFilter,
  Mesh,
  OrthographicCamera,
  PlaneGeometry,
  RawShaderMaterial,
  RGBAFormat,
  Scene,
  UnsignedByteType,
  Vector2,
  Vector4,
  WebGLRenderer,
} from 'three'
import type { Pixels } from '../../engine/world'
import { Frames } from './frames'
import { type Framing, FULL, placeFrame, type Rect, renderScale, splitStage } from './layout'
import { placeCanvas } from './place'
import { FRAGMENT, VERTEX } from './shader'
import { isSoftware } from './software'
import type { StageFace } from './types'

/** Device pixels drawn per presented frame, on a GPU and on a software rasteriser. */
const BUDGET = { gpu: 3_700_000, software: 260_000 }
const SPLIT_MS = 620
const WAKE_MS = 1600

interface Pane {
  texture: DataTexture | null
  size: Vector2
  /** A canvas that presents itself (a GPU world draws into it); the stage adds the ambient light around it. */
  own: HTMLCanvasElement | null
  wakeFrom: number
  /** Device pixels last told to whoever draws into `own`. */
  ownSize: string
}

/**
 * Presents frames: one WebGL canvas filling `host`, with one or two panes. CPU worlds hand over pixels; a
 * world on the GPU draws into a canvas of its own that the stage lays out above its pane.
 * Draws only when something changed. `close()` frees the GL context.
 */
export class Stage implements StageFace {
  readonly software: boolean
  readonly canvas: HTMLCanvasElement
  private readonly renderer: WebGLRenderer
  private readonly scene = new Scene()
  private readonly camera = new OrthographicCamera(-1, 1, 1, -1, 0, 1)
  private readonly material: RawShaderMaterial
  private readonly panes: Pane[] = []
  private readonly observer: ResizeObserver
  private readonly ambient: CanvasRenderingContext2D
  private shownPanes = 1
  private split = { from: 0, to: 0, start: 0 }
  private dimTarget = 1
  private dim = 1
  private raf = 0
  private frameCount = 0
  private presented: (() => void)[] = []
  private framing = FULL
  private readonly frames = new Frames()
  private heardOwnSize: (pane: number, width: number, height: number) => void = () => {}

  constructor(private readonly host: HTMLElement) {
    this.canvas = document.createElement('canvas')
    this.canvas.className = 'stage-canvas'
    host.append(this.canvas)
    this.renderer = new WebGLRenderer({ canvas: this.canvas, antialias: false, depth: false, stencil: false })
    this.renderer.autoClear = false
    this.software = isSoftware(this.renderer.getContext())
    this.material = new RawShaderMaterial({
      glslVersion: GLSL3,
      vertexShader: VERTEX,
      fragmentShader: FRAGMENT,
      depthTest: false,
      depthWrite: false,
      uniforms: {
        frame: { value: null },
        frameSize: { value: new Vector2(1, 1) },
        paneRect: { value: new Vector4() },
        frameRect: { value: new Vector4() },
        radius: { value: -1 },
        canvasHeight: { value: 1 },
        wake: { value: 0 },
        dim: { value: 1 },
        sharp: { value: 1 },
        cheap: { value: this.software ? 1 : 0 },
        grain: { value: 0 },
      },
    })
    const quad = new Mesh(new PlaneGeometry(2, 2), this.material)
    quad.frustumCulled = false
    this.scene.add(quad)
    const small = document.createElement('canvas')
    small.width = 40
    small.height = 24
    this.ambient = small.getContext('2d', { willReadFrequently: true })!
    this.observer = new ResizeObserver(() => this.invalidate())
    this.observer.observe(host)
  }

  show(count: 1 | 2, animate = true) {
    if (count === this.shownPanes && this.split.to === count - 1) return
    this.split = {
      from: this.splitNow(),
      to: count - 1,
      start: animate ? performance.now() : Number.NEGATIVE_INFINITY,
    }
    this.shownPanes = 2
    this.invalidate()
  }

  setDim(value: number) {
    this.dimTarget = value
    this.invalidate()
  }

  setFraming(framing: Framing) {
    this.framing = framing
    this.invalidate()
  }

  onFrames(listener: (frames: readonly Rect[]) => void) {
    this.frames.hear(listener)
    this.invalidate()
  }

  present(index: number, pixels: Pixels, onPresented?: () => void) {
    const pane = this.pane(index)
    pane.own?.remove()
    pane.own = null
    this.upload(pane, pixels.width, pixels.height, pixels.data)
    if (onPresented) this.presented.push(onPresented)
    this.invalidate()
  }

  attach(index: number, canvas: HTMLCanvasElement) {
    const pane = this.pane(index)
    if (pane.own === canvas) return
    pane.own?.remove()
    pane.own = canvas
    pane.ownSize = ''
    canvas.classList.add('stage-own')
    this.host.append(canvas)
    this.invalidate()
  }

  touch(index: number, frameWidth: number, frameHeight: number, onPresented?: () => void) {
    const pane = this.pane(index)
    if (pane.own) {
      const { width, height } = this.ambient.canvas
      this.ambient.drawImage(pane.own, 0, 0, width, height)
      const { data } = this.ambient.getImageData(0, 0, width, height)
      this.upload(pane, width, height, data)
      pane.size.set(frameWidth, frameHeight)
    }
    if (onPresented) this.presented.push(onPresented)
    this.invalidate()
  }

  onOwnSize(listener: (pane: number, width: number, height: number) => void) {
    this.heardOwnSize = listener
    this.invalidate()
  }

  private sleep(index: number) {
    const pane = this.panes[index]
    if (!pane) return
    pane.own?.remove()
    pane.own = null
    pane.texture?.dispose()
    pane.texture = null
    this.invalidate()
  }

  close() {
    cancelAnimationFrame(this.raf)
    this.observer.disconnect()
    for (let i = 0; i < this.panes.length; i++) this.sleep(i)
    cancelAnimationFrame(this.raf)
    this.material.dispose()
    this.renderer.dispose()
    this.canvas.remove()
  }

  private pane(index: number): Pane {
    while (this.panes.length <= index) {
      this.panes.push({ texture: null, size: new Vector2(160, 96), own: null, wakeFrom: 0, ownSize: '' })
    }
    return this.panes[index]!
  }

  private upload(pane: Pane, width: number, height: number, data: Uint8ClampedArray) {
    let texture = pane.texture
    if (!texture || texture.image.width !== width || texture.image.height !== height) {
      if (!texture) pane.wakeFrom = performance.now()
      texture?.dispose()
      texture = new DataTexture(
        new Uint8Array(width * height * 4),
        width,
        height,
        RGBAFormat,
        UnsignedByteType,
      )
      texture.minFilter = LinearMipmapLinearFilter
      texture.magFilter = LinearFilter
      texture.generateMipmaps = true
      pane.texture = texture
    }
    ;(texture.image.data as Uint8Array).set(data)
    texture.needsUpdate = true
    pane.size.set(width, height)
  }

  private get stageSize() {
    const { clientWidth: width, clientHeight: height } = this.host
    return { width, height }
  }

  private splitNow(): number {
    const { from, to, start } = this.split
    const t = Math.min(1, (performance.now() - start) / SPLIT_MS)
    const eased = t < 0.5 ? 4 * t * t * t : 1 - (2 - 2 * t) ** 3 / 2
    return from + (to - from) * eased
  }

  private invalidate() {
    if (!this.raf) this.raf = requestAnimationFrame(this.draw)
  }

  private readonly draw = () => {
    this.raf = 0
    const { width, height } = this.stageSize
    if (!width || !height) return
    const budget = this.software ? BUDGET.software : BUDGET.gpu
    const scale = renderScale(width, height, window.devicePixelRatio || 1, budget)
    const pixelWidth = Math.max(1, Math.round(width * scale))
    const pixelHeight = Math.max(1, Math.round(height * scale))
    if (this.canvas.width !== pixelWidth || this.canvas.height !== pixelHeight) {
      this.renderer.setSize(pixelWidth, pixelHeight, false)
    }
    const split = this.splitNow()
    const panes = splitStage(width, height, split > 0 ? this.shownPanes : 1, split, this.framing)
    const now = performance.now()
    this.dim += (this.dimTarget - this.dim) * 0.22
    if (Math.abs(this.dimTarget - this.dim) < 0.01) this.dim = this.dimTarget
    let moving = (split !== this.split.to && now - this.split.start < SPLIT_MS) || this.dim !== this.dimTarget
    this.renderer.setScissorTest(false)
    this.renderer.setClearColor(0x06070a, 1)
    this.renderer.clear()
    this.renderer.setScissorTest(true)
    panes.forEach((rect, i) => {
      moving = this.drawPane(i, rect, scale, now) || moving
    })
    for (let i = panes.length; i < this.panes.length; i++) {
      const own = this.panes[i]?.own
      if (own) own.style.visibility = 'hidden'
    }
    this.frames.tell(panes.length)
    const done = this.presented
    this.presented = []
    for (const callback of done) callback()
    if (moving) this.invalidate()
  }

  private drawPane(index: number, rect: Rect, scale: number, now: number): boolean {
    const pane = this.pane(index)
    if (!pane.texture || rect.width < 1 || rect.height < 1) return false
    const placed = placeFrame(rect, pane.size.x, pane.size.y, this.stageSize, this.framing)
    const { rect: frame, radius } = placed
    this.frames.put(index, frame)
    const t = Math.min(1, (now - pane.wakeFrom) / WAKE_MS)
    const wake = 1 - (1 - t) ** 3
    const uniforms = this.material.uniforms
    uniforms.frame!.value = pane.texture
    ;(uniforms.frameSize!.value as Vector2).set(pane.texture.image.width, pane.texture.image.height)
    ;(uniforms.paneRect!.value as Vector4).set(rect.x, rect.y, rect.width, rect.height).multiplyScalar(scale)
    ;(uniforms.frameRect!.value as Vector4)
      .set(frame.x, frame.y, frame.width, frame.height)
      .multiplyScalar(scale)
    uniforms.radius!.value = radius === null ? -1 : radius * scale
    uniforms.canvasHeight!.value = this.canvas.height
    uniforms.wake!.value = wake
    uniforms.dim!.value = this.dim
    uniforms.sharp!.value = pane.own ? 0 : 1
    uniforms.grain!.value = this.frameCount++ % 64
    const top = this.host.clientHeight - rect.y - rect.height
    this.renderer.setScissor(rect.x * scale, top * scale, rect.width * scale, rect.height * scale)
    this.renderer.render(this.scene, this.camera)
    if (pane.own) {
      placeCanvas(pane.own, rect, placed, wake * this.dim)
      const ownWidth = Math.round(frame.width * scale)
      const ownHeight = Math.round(frame.height * scale)
      const size = `${ownWidth}x${ownHeight}`
      // In the middle of a transition the browser's scaling will do.
      if (size !== pane.ownSize && this.splitNow() === this.split.to) {
        pane.ownSize = size
        this.heardOwnSize(index, ownWidth, ownHeight)
      }
    }
    return t < 1
  }
}
