import { heardIn, type Setting } from './captions'

interface Start {
  readonly id: string
  readonly caption: string
}

/** What counts most where a drive begins: another place shows at once, another weather hardly. */
const WEIGHTS: Readonly<Record<keyof Setting, number>> = { biome: 4, time: 2, weather: 1 }

/**
 * The start state that is most like what the words name, so that a drive does not begin elsewhere and then change. Among
 * equals the seed chooses. Undefined where the words name nothing that a start has; then the world chooses by itself.
 */
export function closestStart(text: string, starts: readonly Start[], seed: number): Start | undefined {
  const wanted = heardIn(text)
  let best: Start[] = []
  let most = 1
  for (const start of starts) {
    const setting = { ...heardIn(start.caption), ...heardIn(start.id) }
    let score = 0
    for (const [name, weight] of Object.entries(WEIGHTS) as [keyof Setting, number][]) {
      if (wanted[name] !== undefined && wanted[name] === setting[name]) score += weight
    }
    if (score > most) best = []
    if (score >= most) best.push(start)
    most = Math.max(most, score)
  }
  return best[seed % best.length]
}
