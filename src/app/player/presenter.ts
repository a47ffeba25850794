import type { Clock } from '../../engine/clock'
import type { LoopEvent } from '../../engine/loop'
import type { Tick } from '../../engine/world'
import type { Instruments } from '../../scene/hud'
import type { StageFace } from '../../scene/stage'
import { PhotonMeter, Samples, StageMeter } from '../meters'
import type { AppState } from '../store'

interface FrameSize {
  readonly width: number
  readonly height: number
}

/** Takes frames to the stage and measures on the way. Panes: 0 is the world that leads, 1 the one beside it. */
export class Presenter {
  readonly photons = new PhotonMeter()
  readonly cost = new StageMeter()
  /** Milliseconds between the beginnings of ticks. */
  private readonly intervals = new Samples(40)
  private lastAtMs: number | null = null

  constructor(
    private readonly stage: StageFace,
    private readonly canvasOf: (pane: number) => HTMLCanvasElement | null,
  ) {}

  /** A frame of the loop. */
  hear(event: Extract<LoopEvent, { tick: Tick }>, size: FrameSize): void {
    if (event.type === 'begin') {
      this.photons.drop()
      this.interrupted()
      this.show(0, event.tick, size)
      return
    }
    this.photons.sampled(event.sampledAtMs)
    this.cost.add(event.finishedAtMs - event.sampledAtMs, event.tick.timings)
    if (this.lastAtMs !== null) this.intervals.add(event.sampledAtMs - this.lastAtMs)
    this.lastAtMs = event.sampledAtMs
    this.show(0, event.tick, size, () => this.photons.presented(performance.now()))
  }

  /** Shows a tick in a pane: pixels where it has them, and otherwise the canvas the world draws into. */
  show(pane: number, tick: Tick, size: FrameSize, onPresented?: () => void): void {
    if (tick.frame) {
      this.stage.present(pane, tick.frame, onPresented)
      return
    }
    const canvas = this.canvasOf(pane)
    if (!canvas) return
    this.stage.attach(pane, canvas)
    this.stage.touch(pane, size.width, size.height, onPresented)
  }

  /** Ticks per second over the last two seconds or so; 0 before two ticks. */
  rate(): number {
    let sum = 0
    for (let i = 0; i < this.intervals.size; i++) sum += this.intervals.back(i)
    return sum > 0 ? (this.intervals.size * 1000) / sum : 0
  }

  /** True where the last two seconds held clearly less than the nominal rate, whatever kept the page from it. */
  isSlow(nominalRate: number): boolean {
    return this.intervals.size === this.intervals.capacity && this.rate() < nominalRate * 0.85
  }

  /** Play stopped or began: the gap is no tick's interval. */
  interrupted(): void {
    this.lastAtMs = null
  }

  forget(): void {
    this.intervals.clear()
    this.cost.clear()
    this.interrupted()
  }
}

/** What the HUD shows. */
export function instrumentsOf(
  { controls, action, held, tick, nominalRate, backend }: AppState,
  presenter: Presenter,
  clock: Clock,
  playing: boolean,
): Instruments {
  const stats = clock.mode === 'realtime' ? clock.stats() : null
  return {
    controls,
    action,
    held,
    tick,
    nominalRate,
    backend,
    ticksPerSecond: playing ? presenter.rate() : 0,
    lateTicks: stats?.lateTicks ?? 0,
    speed: stats?.speed ?? 1,
    cost: presenter.cost.ticks,
    stages: presenter.cost.stages,
    photon: presenter.photons.samples,
  }
}
