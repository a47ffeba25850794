import { RUN_TICKS } from '../../engine/run'

const KEY = 'oneiro.runs'
/** Days kept. */
const KEPT = 30
/** A point of the line for every second spent. */
export const LINE_EVERY = 20
const POINTS = RUN_TICKS / LINE_EVERY + 1

/** A finished run. */
export interface Best {
  readonly score: number
  /** Score at every second spent, the first at none. */
  readonly line: readonly number[]
}

type Shelf = Readonly<Record<string, Best>>

/** The best run of a day in a world; null where there is none, or the browser keeps nothing. */
export function bestOf(day: string, model: string): Best | null {
  return shelf()[key(day, model)] ?? null
}

/** Keeps a run where it is the best of its day. False where the browser keeps nothing. */
export function keepBest(day: string, model: string, run: Best): boolean {
  const kept = shelf()
  if ((kept[key(day, model)]?.score ?? Number.NEGATIVE_INFINITY) >= run.score) return true
  const others = Object.entries(kept).filter(([name]) => name !== key(day, model))
  const newest = others.sort(([a], [b]) => (a < b ? 1 : -1)).slice(0, KEPT - 1)
  try {
    localStorage.setItem(KEY, JSON.stringify(Object.fromEntries([[key(day, model), run], ...newest])))
    return true
  } catch {
    return false
  }
}

/** The day first, so that names are in the order of days. */
function key(day: string, model: string): string {
  return `${day} ${model.slice(0, 12)}`
}

function shelf(): Shelf {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? '{}')
    return Object.fromEntries(Object.entries(Object(kept)).filter(([, run]) => isBest(run))) as Shelf
  } catch {
    return {}
  }
}

function isBest(run: unknown): run is Best {
  const { score, line } = Object(run) as Record<keyof Best, unknown>
  return (
    Number.isFinite(score) && Array.isArray(line) && line.length === POINTS && line.every(Number.isFinite)
  )
}
