import { BitmapText, type Container, Graphics } from 'pixi.js'
import { type Action, type Move, spaceOf } from '../../engine/controls'
import type { Instruments, Series } from './instruments'
import { DARK, FONT, MOON, PAPER, STAGES, WARM } from './palette'

/** A line of text whose glyphs come from an atlas, so that changing numbers cost no upload. */
export class Label {
  private readonly text: BitmapText
  private shown = ''
  constructor(
    parent: Container,
    x: number,
    y: number,
    size: number,
    alpha: number,
    private readonly align: 0 | 0.5 | 1 = 0,
  ) {
    this.text = new BitmapText({ text: '', style: { fontFamily: FONT, fontSize: size, fill: PAPER } })
    this.text.alpha = alpha
    this.text.position.set(x, y)
    this.text.anchor.set(align, 0)
    parent.addChild(this.text)
  }

  set(text: string, tint?: number): this {
    if (text !== this.shown) {
      this.shown = text
      this.text.text = text
      this.text.anchor.set(this.align, 0)
    }
    if (tint !== undefined) this.text.tint = tint
    return this
  }

  set x(value: number) {
    this.text.x = value
  }

  set y(value: number) {
    this.text.y = value
  }

  set visible(on: boolean) {
    this.text.visible = on
  }

  get width(): number {
    return this.text.width
  }
}

/** Milliseconds a tick over the last ticks, newest at the right, with a line at the budget of one tick. */
export class Graph {
  private readonly bars = new Graphics()
  constructor(
    parent: Container,
    private readonly x: number,
    private readonly y: number,
    private readonly width: number,
    private readonly height: number,
  ) {
    parent.addChild(this.bars)
  }

  draw(cost: Series, budgetMs: number): void {
    const { bars, x, y, width, height } = this
    const full = budgetMs * 2
    const step = width / cost.capacity
    bars.clear()
    bars.rect(x, y + height, width, 1).fill({ color: PAPER, alpha: 0.16 })
    for (let i = 0; i < cost.size; i++) {
      const ms = cost.back(i)
      const tall = Math.max(1, Math.min(1, ms / full) * height)
      const late = ms > budgetMs
      bars
        .rect(x + width - (i + 1) * step, y + height - tall, Math.max(1, step - 0.5), tall)
        .fill({ color: late ? WARM : MOON, alpha: late ? 0.95 : 0.62 })
    }
    for (let at = 0; at < width; at += 6) {
      bars.rect(x + at, y + height / 2, 3, 1).fill({ color: PAPER, alpha: 0.34 })
    }
  }
}

const ROW = 21

/** One row a stage: its name, a bar against the budget, its milliseconds. */
export class StageRows {
  private readonly bars = new Graphics()
  private readonly rows: { name: Label; ms: Label }[] = []
  constructor(
    private readonly parent: Container,
    private readonly x: number,
    private readonly y: number,
    private readonly width: number,
  ) {
    parent.addChild(this.bars)
  }

  /** Returns the height used. */
  draw(stages: ReadonlyMap<string, number>, budgetMs: number): number {
    const { bars, x, y, width } = this
    bars.clear()
    let i = 0
    for (const [stage, ms] of stages) {
      const top = y + i * ROW
      let row = this.rows[i]
      if (!row) {
        row = {
          name: new Label(this.parent, x, top, 12, 0.62),
          ms: new Label(this.parent, x + width, top, 12, 0.9, 1),
        }
        this.rows.push(row)
      }
      row.name.set(stage)
      row.ms.set(`${ms.toFixed(1)} ms`)
      row.name.visible = true
      row.ms.visible = true
      const from = x + 84
      const room = width - 84 - 62
      bars.roundRect(from, top + 6, room, 4, 2).fill({ color: PAPER, alpha: 0.1 })
      bars
        .roundRect(from, top + 6, Math.max(3, room * Math.min(1, ms / budgetMs)), 4, 2)
        .fill({ color: STAGES[i % STAGES.length]!, alpha: 0.9 })
      i++
    }
    for (const row of this.rows.slice(i)) {
      row.name.visible = false
      row.ms.visible = false
    }
    return i * ROW
  }
}

/** Column and row of an arrow key, and the turn of its sign. */
const ARROWS: Readonly<Record<string, readonly [column: number, row: number, angle: number]>> = {
  ArrowUp: [1, 0, 0],
  ArrowLeft: [0, 1, -Math.PI / 2],
  ArrowDown: [1, 1, Math.PI],
  ArrowRight: [2, 1, Math.PI / 2],
}
const CAP = 19

/** A key for every move, lit while the action asks for it; softer where no person does. Arrow keys lie as on a keyboard. */
export class Keys {
  private readonly caps = new Graphics()
  private readonly names = new Map<string, Label>()
  constructor(private readonly parent: Container) {
    parent.addChild(this.caps)
  }

  draw(
    x: number,
    y: number,
    { controls, action, held }: Pick<Instruments, 'controls' | 'action' | 'held'>,
  ): void {
    this.caps.clear()
    for (const name of this.names.values()) name.visible = false
    let right = x
    const named: Move[] = []
    for (const move of spaceOf(controls).moves) {
      const arrow = ARROWS[move.keys.find((code) => code in ARROWS) ?? '']
      if (!arrow) {
        named.push(move)
        continue
      }
      const [column, row, angle] = arrow
      const [left, top] = [x + column * 22, y + row * 20]
      const on = this.cap(left, top, CAP, move, action, held)
      this.sign(left + 9.5, top + 8.5, angle, on)
      right = x + 3 * 22 + 8
    }
    for (const move of named) {
      const name = this.names.get(move.id) ?? new Label(this.parent, 0, 0, 11, 0.92).set(move.label)
      this.names.set(move.id, name)
      const width = name.width + 12
      name.x = right + 6
      name.y = y + 21
      name.visible = true
      const on = this.cap(right, y + 20, width, move, action, held)
      name.set(move.label, on ? DARK : PAPER)
      right += width + 3
    }
  }

  private cap(left: number, top: number, width: number, move: Move, action: Action, held: Action): boolean {
    const on = action[move.control] === move.value
    const soft = held[move.control] !== move.value
    this.caps
      .roundRect(left, top, width, 17, 5)
      .fill({ color: on ? MOON : PAPER, alpha: on ? (soft ? 0.45 : 0.95) : 0.1 })
    return on
  }

  private sign(x: number, y: number, angle: number, on: boolean): void {
    const points = [0, -3.4, 3.2, 2.2, -3.2, 2.2]
    const turned: number[] = []
    for (let i = 0; i < 6; i += 2) {
      const [px, py] = [points[i]!, points[i + 1]!]
      turned.push(
        x + px * Math.cos(angle) - py * Math.sin(angle),
        y + px * Math.sin(angle) + py * Math.cos(angle),
      )
    }
    this.caps.poly(turned).fill({ color: on ? DARK : PAPER, alpha: on ? 1 : 0.6 })
  }
}
