/** Snake, as a game to train on: npm run train -- --world examples/snake/world.ts --hours 0.75 */
import type { Action, Control } from '../../src/engine/controls'
import { type Game, worldOf } from '../../src/engine/game'
import type { Rng } from '../../src/engine/random'

export const COLUMNS = 12
export const ROWS = 8
const CELLS = COLUMNS * ROWS
/** Pixels a cell: one patch of the codec. */
export const CELL = 8
const START = [3 * COLUMNS + 4, 3 * COLUMNS + 3, 3 * COLUMNS + 2]
/**
 * Cells from an eaten apple to the next, in reading order: three rows and five columns, and at the end from the start again.
 * Anywhere would be ninety equal chances, which a small network has to take in all cells at once; a hop can be seen and
 * learnt, by players too. It comes by every cell.
 */
const HOP = 3 * COLUMNS + 5
/** Ticks for which a dead snake lies there, before the next one sets out. */
const DEAD_TICKS = 3
/** Right, down, left, up. */
const STEPS = [
  [1, 0],
  [0, 1],
  [-1, 0],
  [0, -1],
] as const
const RIGHT = 0

export const FLOOR = [24, 26, 48]
export const APPLE = [235, 50, 60]
export const HEAD = [255, 225, 70]
export const BODY = [60, 200, 90]
export const TAIL = [40, 130, 220]
export const DEAD = [150, 150, 150]

const controls: readonly Control[] = [
  {
    name: 'x',
    kind: 'axis',
    values: [-1, 0, 1],
    labels: ['left', 'right'],
    keys: [
      ['ArrowLeft', 'KeyA'],
      ['ArrowRight', 'KeyD'],
    ],
    pad: [
      ['axis0-', 'button14'],
      ['axis0+', 'button15'],
    ],
  },
  {
    name: 'y',
    kind: 'axis',
    values: [-1, 0, 1],
    labels: ['up', 'down'],
    keys: [
      ['ArrowUp', 'KeyW'],
      ['ArrowDown', 'KeyS'],
    ],
    pad: [
      ['axis1-', 'button12'],
      ['axis1+', 'button13'],
    ],
  },
]

/** A game as it stands; `body` are cells, the head first. */
export interface Board {
  readonly heading: number
  /** Ticks since it died; 0 while it lives. */
  readonly dead: number
  readonly apples: number
  readonly apple: number
  readonly body: readonly number[]
}

export function boardOf([heading, dead, apples, apple, ...body]: readonly number[]): Board {
  return { heading: heading!, dead: dead!, apples: apples!, apple: apple!, body }
}

function stateOf({ heading, dead, apples, apple, body }: Board): number[] {
  return [heading, dead, apples, apple, ...body]
}

/** The cell beyond a cell, or -1 where the board ends. */
export function beyond(cell: number, heading: number): number {
  const [dx, dy] = STEPS[heading]!
  const x = (cell % COLUMNS) + dx
  const y = Math.floor(cell / COLUMNS) + dy
  return x < 0 || y < 0 || x >= COLUMNS || y >= ROWS ? -1 : y * COLUMNS + x
}

/** Keys across the way turn it; keys along it do nothing, so it never turns on itself. */
export function turned(heading: number, { x = 0, y = 0 }: Action): number {
  const along = heading % 2
  if (along === 0 && y !== 0) return y > 0 ? 1 : 3
  if (along === 1 && x !== 0) return x > 0 ? 0 : 2
  return heading
}

/** Whether a snake that moves on to `cell` is dead there: beyond the board, or on itself. The tail moves out of the way. */
export function dies(cell: number, { body, apple }: Board): boolean {
  return cell < 0 || body.slice(0, cell === apple ? body.length : -1).includes(cell)
}

/** The cell a hop from another; where the snake lies, as many hops on as it takes. -1 where it lies everywhere. */
export function hopped(from: number, body: readonly number[]): number {
  const cells = Array.from({ length: CELLS }, (_, hops) => (from + HOP * (hops + 1)) % CELLS)
  return cells.find((cell) => !body.includes(cell)) ?? -1
}

/** Where a game begins, but for its apple. */
function fresh(apple: number): number[] {
  return stateOf({ heading: RIGHT, dead: 0, apples: 0, apple, body: START })
}

const game: Game = {
  id: 'snake',
  title: 'Snake',
  version: 'snake-2',
  width: COLUMNS * CELL,
  height: ROWS * CELL,
  ticksPerSecond: 8,
  controls,
  telemetry: ['apples', 'length'],

  begin: (rng) => fresh(hopped(rng.int(0, CELLS), START)),

  step(state, action) {
    const board = boardOf(state)
    if (board.dead > DEAD_TICKS)
      return {
        state: fresh(
          board.apple < 0 || START.includes(board.apple) ? hopped(board.body[0]!, START) : board.apple,
        ),
      }
    if (board.dead > 0) return { state: stateOf({ ...board, dead: board.dead + 1 }) }
    const heading = turned(board.heading, action)
    const head = beyond(board.body[0]!, heading)
    if (dies(head, board)) return { state: stateOf({ ...board, dead: 1 }), reward: -1, done: true }
    if (head !== board.apple)
      return { state: stateOf({ ...board, heading, body: [head, ...board.body.slice(0, -1)] }) }
    const body = [head, ...board.body]
    return {
      state: stateOf({ ...board, heading, apples: board.apples + 1, apple: hopped(head, body), body }),
      reward: 1,
    }
  },

  read(state) {
    const { apples, body } = boardOf(state)
    return { apples, length: body.length }
  },

  draw(state, rgba) {
    const { apple, body, dead, heading } = boardOf(state)
    const fill = (x: number, y: number, width: number, height: number, colour: readonly number[]) => {
      for (let row = y; row < y + height; row++)
        for (let at = 4 * (row * game.width + x), end = at + 4 * width; at < end; at += 4)
          for (let i = 0; i < 3; i++) rgba[at + i] = colour[i]!
    }
    const corner = (cell: number) => [(cell % COLUMNS) * CELL, Math.floor(cell / COLUMNS) * CELL] as const
    fill(0, 0, game.width, game.height, FLOOR)
    if (apple >= 0) {
      const [x, y] = corner(apple)
      fill(x + 1, y + 2, 6, 4, APPLE)
      fill(x + 2, y + 1, 4, 6, APPLE)
    }
    for (const [i, cell] of body.entries()) {
      const [x, y] = corner(cell)
      const colour = dead > 0 ? DEAD : i === 0 ? HEAD : i === body.length - 1 ? TAIL : BODY
      fill(x + 1, y + 1, 6, 6, colour)
      if (dead > 0) continue
      // Joined to its neighbours, so that a picture says which way the body lies.
      for (const other of [body[i - 1], body[i + 1]]) {
        const side = STEPS.findIndex((_, to) => beyond(cell, to) === other)
        if (other === undefined || side < 0) continue
        const [dx, dy] = STEPS[side]!
        fill(
          x + (dx > 0 ? 7 : dx < 0 ? 0 : 2),
          y + (dy > 0 ? 7 : dy < 0 ? 0 : 2),
          dx ? 1 : 4,
          dy ? 1 : 4,
          colour,
        )
      }
    }
    if (dead > 0) return
    const [x, y] = corner(body[0]!)
    const [dx, dy] = STEPS[heading]!
    fill(x + 3 + 2 * dx, y + 3 + 2 * dy, 2, 2, FLOOR) // an eye, which way it looks
  },
}

export const title = game.title
export const openWorld = () => worldOf(game)

/**
 * Who plays while it is recorded: seeks the apple without dying in the next step, and now and then holds keys at random, more
 * in some games than in others.
 */
export function policy(rng: Rng): (world: ReturnType<typeof openWorld>) => Action {
  const careless = rng.pick([0, 0.05, 0.15, 0.4, 1])
  let held: Action = { x: 0, y: 0 }
  let left = 0
  return ({ state }) => {
    const board = boardOf(state)
    if (left > 0) {
      left--
      return held
    }
    if (rng.chance(careless / 3)) {
      left = rng.int(0, 5)
      held = { x: rng.int(-1, 2), y: rng.int(-1, 2) }
      return held
    }
    return seek(board, rng)
  }
}

/** The keys that lead towards the apple, or where that would be the end, anywhere else. */
export function seek(board: Board, rng: Rng): Action {
  const idle = { x: 0, y: 0 }
  if (board.dead > 0) return idle
  const choices = [idle, { x: -1, y: -1 }, { x: 1, y: 1 }].map((action) => {
    const cell = beyond(board.body[0]!, turned(board.heading, action))
    const away = (a: number, b: number) =>
      Math.abs((a % COLUMNS) - (b % COLUMNS)) + Math.abs(Math.floor(a / COLUMNS) - Math.floor(b / COLUMNS))
    return { action, cost: dies(cell, board) ? 1000 : away(cell, board.apple) + rng.uniform(0, 0.5) }
  })
  const best = choices.reduce((a, b) => (b.cost < a.cost ? b : a)).action
  // Keys along the way do nothing: leaving them out randomly teaches that.
  return rng.chance(0.5) ? best : board.heading % 2 === 0 ? { ...best, x: 0 } : { ...best, y: 0 }
}
