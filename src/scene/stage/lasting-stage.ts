import type { Pixels } from '../../engine/world'
import { type Framing, FULL } from './layout'
import type { Rect, StageFace } from './types'

type OwnSize = (pane: number, width: number, height: number) => void

/** A stage that another one can take the place of in mid-drive, with the picture that was last shown. */
export class LastingStage implements StageFace {
  private count: 1 | 2 = 1
  private dim = 1
  private framing = FULL
  private heardFrames: ((frames: readonly Rect[]) => void) | null = null
  private heardOwnSize: OwnSize | null = null
  private readonly shown = new Map<number, Pixels>()
  private readonly attached = new Map<number, HTMLCanvasElement>()

  constructor(private stage: StageFace) {}

  get software(): boolean {
    return this.stage.software
  }

  /** `make` builds the other stage, once this one is gone from the page. */
  replace(make: () => StageFace): void {
    this.stage.close()
    this.stage = make()
    this.stage.show(this.count, false)
    this.stage.setDim(this.dim)
    this.stage.setFraming(this.framing)
    if (this.heardFrames) this.stage.onFrames(this.heardFrames)
    if (this.heardOwnSize) this.stage.onOwnSize(this.heardOwnSize)
    for (const [pane, pixels] of this.shown) this.stage.present(pane, pixels)
    for (const [pane, canvas] of this.attached) this.stage.attach(pane, canvas)
  }

  show(count: 1 | 2, animate?: boolean): void {
    this.count = count
    this.stage.show(count, animate)
  }

  setDim(value: number): void {
    this.dim = value
    this.stage.setDim(value)
  }

  setFraming(framing: Framing): void {
    this.framing = framing
    this.stage.setFraming(framing)
  }

  onFrames(listener: (frames: readonly Rect[]) => void): void {
    this.heardFrames = listener
    this.stage.onFrames(listener)
  }

  present(pane: number, pixels: Pixels, onPresented?: () => void): void {
    this.attached.delete(pane)
    this.shown.set(pane, pixels)
    this.stage.present(pane, pixels, onPresented)
  }

  attach(pane: number, canvas: HTMLCanvasElement): void {
    this.shown.delete(pane)
    this.attached.set(pane, canvas)
    this.stage.attach(pane, canvas)
  }

  touch(pane: number, frameWidth: number, frameHeight: number, onPresented?: () => void): void {
    this.stage.touch(pane, frameWidth, frameHeight, onPresented)
  }

  onOwnSize(listener: OwnSize): void {
    this.heardOwnSize = listener
    this.stage.onOwnSize(listener)
  }

  close(): void {
    this.stage.close()
  }
}
