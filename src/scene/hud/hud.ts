// Without `eval`, which a strict Content-Security-Policy forbids.
import 'pixi.js/unsafe-eval'
import { Container, Graphics, WebGLRenderer } from 'pixi.js'
import { whenContextGone } from '../context'
import type { Instruments } from './instruments'
import { FONT, INK, PAPER, WARM } from './palette'
import { Graph, Keys, Label, StageRows } from './widgets'

const WIDTH = 292
const MAX_HEIGHT = 460
const PAD = 20
const REDRAW_MS = 100
const GRAPH_TOP = 92
const STAGES_TOP = 162
/** Windows with room for the numbers alone. */
const SMALL_WINDOW = '(max-height: 620px), (max-width: 520px)'

/** The instruments of the drive, drawn with pixi.js on a canvas of their own. */
export interface Hud {
  setVisible(on: boolean): void
  /** Frees the canvas and the GL context. */
  close(): void
}

/**
 * Builds the instruments into `host`; `read` is called at every draw, about ten times a second while visible. `onGone`: their
 * WebGL context is lost for good, and they have closed.
 */
export async function createHud(
  host: HTMLElement,
  read: () => Instruments,
  onGone: () => void,
): Promise<Hud> {
  // The glyph atlas is drawn once, so the face must be there first.
  await document.fonts.load(`400 14px ${FONT}`).catch(() => [])
  const renderer = new WebGLRenderer()
  await renderer.init({
    width: WIDTH,
    height: MAX_HEIGHT,
    resolution: Math.min(2, window.devicePixelRatio || 1),
    autoDensity: true,
    backgroundAlpha: 0,
    antialias: true,
  })
  host.append(renderer.canvas)
  const panel = new Panel()
  const small = window.matchMedia(SMALL_WINDOW)
  let timer: ReturnType<typeof setInterval> | null = null
  const draw = () => {
    panel.draw(read(), small.matches)
    renderer.render(panel.root)
  }
  const hud: Hud = {
    setVisible(on) {
      renderer.canvas.style.visibility = on ? 'visible' : 'hidden'
      if (on && timer === null) {
        draw()
        timer = setInterval(draw, REDRAW_MS)
      } else if (!on && timer !== null) {
        clearInterval(timer)
        timer = null
      }
    },
    close() {
      stopWatching()
      if (timer !== null) clearInterval(timer)
      renderer.canvas.remove()
      renderer.destroy()
    },
  }
  const stopWatching = whenContextGone(renderer.canvas, () => {
    hud.close()
    onGone()
  })
  return hud
}

class Panel {
  readonly root = new Container()
  private readonly back = new Graphics()
  /** The graph, the stages and the keys. */
  private readonly drawings = new Container()
  private readonly rate: Label
  private readonly rateUnit: Label
  private readonly backend: Label
  private readonly tick: Label
  private readonly graph: Graph
  private readonly graphNote: Label
  private readonly graphRange: Label
  private readonly stages: StageRows
  private readonly facts: { name: Label; value: Label }[]
  private readonly keys: Keys

  constructor() {
    this.root.addChild(this.back, this.drawings)
    const inner = WIDTH - PAD * 2
    this.rate = new Label(this.root, PAD, 15, 34, 0.96)
    this.rateUnit = new Label(this.root, PAD, 33, 12, 0.6)
    this.backend = new Label(this.root, WIDTH - PAD, 20, 13, 0.92, 1)
    this.tick = new Label(this.root, WIDTH - PAD, 38, 12, 0.55, 1)
    this.graph = new Graph(this.drawings, PAD, GRAPH_TOP, inner, 54)
    this.graphNote = new Label(this.root, PAD, 68, 12, 0.6)
    this.graphRange = new Label(this.root, WIDTH - PAD, 68, 12, 0.92, 1)
    this.stages = new StageRows(this.drawings, PAD, STAGES_TOP, inner)
    this.facts = ['input to photon', 'late ticks', 'world speed'].map((name) => ({
      name: new Label(this.root, PAD, 0, 12, 0.6).set(name),
      value: new Label(this.root, WIDTH - PAD, 0, 12, 0.92, 1),
    }))
    this.keys = new Keys(this.drawings)
  }

  draw(now: Instruments, small: boolean): void {
    const budgetMs = 1000 / now.nominalRate
    this.rate.set(now.ticksPerSecond.toFixed(1))
    this.rateUnit.set('ticks/s')
    this.rateUnitX()
    this.backend.set(now.backend)
    this.tick.set(`tick ${now.tick.toLocaleString('en')}`)
    this.graph.draw(now.cost, budgetMs)
    const p50 = now.cost.percentile(0.5)
    const p95 = now.cost.percentile(0.95)
    this.graphNote.set('tick, p50 / p95')
    this.graphRange.set(p50 === null ? '' : `${p50.toFixed(1)} / ${p95!.toFixed(1)} ms`)
    this.drawings.visible = !small
    let y = small ? GRAPH_TOP + 10 : STAGES_TOP + this.stages.draw(now.stages, budgetMs) + 12
    const photon50 = now.photon.percentile(0.5)
    const values: [string, number][] = [
      [
        photon50 === null
          ? 'press a key'
          : `${photon50.toFixed(0)} / ${now.photon.percentile(0.95)!.toFixed(0)} ms`,
        PAPER,
      ],
      [String(now.lateTicks), now.lateTicks > 0 ? WARM : PAPER],
      [`${Math.round(Math.min(1, now.speed) * 100)} %`, now.speed < 0.97 ? WARM : PAPER],
    ]
    const top = y
    for (const [i, { name, value }] of this.facts.entries()) {
      name.y = y
      value.y = y
      value.set(...values[i]!)
      y += 21
    }
    this.keys.draw(PAD, y + 8, now)
    const bottom = y + (small ? -6 : 8 + 37) + PAD
    this.back
      .clear()
      .roundRect(0.5, 0.5, WIDTH - 1, bottom, 20)
      .fill({ color: INK, alpha: 0.62 })
      .stroke({ color: PAPER, alpha: 0.12, width: 1 })
      .rect(PAD, top - 9, WIDTH - PAD * 2, 1)
      .fill({ color: PAPER, alpha: 0.1 })
  }

  private rateUnitX(): void {
    this.rateUnit.x = PAD + this.rate.width + 7
  }
}
