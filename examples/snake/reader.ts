/** Reads a frame of Snake, dreamed or drawn, and says where it breaks the rules. Crude: the colour in the middle of a cell. */
import type { Action } from '../../src/engine/controls'
import type { Pixels } from '../../src/engine/world'
import {
  APPLE,
  BODY,
  type Board,
  beyond,
  CELL,
  COLUMNS,
  DEAD,
  dies,
  FLOOR,
  HEAD,
  hopped,
  ROWS,
  TAIL,
  turned,
} from './world'

const COLOURS = { floor: FLOOR, apple: APPLE, head: HEAD, body: BODY, tail: TAIL, dead: DEAD } as const
type Kind = keyof typeof COLOURS

/** The cells of each kind. */
export type Cells = Readonly<Record<Kind, readonly number[]>>

/** What the middle of every cell is nearest to. */
export function cellsOf({ width, data }: Pixels): Cells {
  const cells: Record<Kind, number[]> = { floor: [], apple: [], head: [], body: [], tail: [], dead: [] }
  for (let cell = 0; cell < COLUMNS * ROWS; cell++) {
    const x = (cell % COLUMNS) * CELL
    const y = Math.floor(cell / COLUMNS) * CELL
    const mean = [0, 0, 0]
    for (let row = 2; row < CELL - 2; row++)
      for (let column = 2; column < CELL - 2; column++)
        for (let i = 0; i < 3; i++)
          mean[i]! += data[4 * ((y + row) * width + x + column) + i]! / (CELL - 4) ** 2
    const away = (colour: readonly number[]) =>
      colour.reduce((sum, value, i) => sum + (value - mean[i]!) ** 2, 0)
    const kinds = Object.entries(COLOURS) as [Kind, readonly number[]][]
    cells[kinds.reduce((a, b) => (away(b[1]) < away(a[1]) ? b : a))[0]].push(cell)
  }
  return cells
}

/** As a policy sees it: the order of the body is lost, but for head and tail. */
export function boardIn({ head, body, tail, apple, dead }: Cells, heading: number): Board {
  const snake = [...head, ...body, ...tail]
  return { heading, dead: dead.length > 0 ? 1 : 0, apples: 0, apple: apple[0] ?? -1, body: snake }
}

/** What happened between two frames, by the rules. */
export interface Verdict {
  /** Where they were broken, in a word; null where they were kept. */
  readonly broken: string | null
  readonly ate: boolean
  readonly died: boolean
  readonly heading: number
}

/** Judges the frame `after` an action at `before`, which is the frame of a living snake with that heading. */
export function judged(before: Cells, heading: number, action: Action, after: Cells): Verdict {
  const board = boardIn(before, heading)
  const way = turned(heading, action)
  const cell = beyond(board.body[0]!, way)
  const ate = cell >= 0 && cell === board.apple
  const told = (broken: string | null, died = false): Verdict => ({ broken, ate, died, heading: way })
  if (dies(cell, board)) {
    const all = before.head.length + before.body.length + before.tail.length
    return told(after.dead.length === all ? null : 'lives on', true)
  }
  if (after.dead.length > 0) return told('dies for nothing')
  if (after.head.length !== 1) return told(after.head.length ? 'two heads' : 'no head')
  if (after.head[0] !== cell) return told('head elsewhere')
  if (after.tail.length !== 1) return told('tail lost')
  const length = before.body.length + (ate ? 1 : 0)
  if (after.body.length !== length) return told(after.body.length < length ? 'body lost' : 'body too long')
  const changed = [...after.body, ...after.tail].filter((one) => !board.body.includes(one))
  if (changed.length > 0) return told('body moved')
  if (after.apple.length !== 1) return told(after.apple.length ? 'two apples' : 'no apple')
  if (!ate && after.apple[0] !== board.apple) return told('apple moved')
  if (ate && after.apple[0] !== hopped(cell, [cell, ...board.body])) return told('apple elsewhere')
  return told(null)
}
