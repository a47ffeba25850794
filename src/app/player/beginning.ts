import type { Prompt, ResetOptions } from '../../engine/world'
import { heardIn } from '../../scene/drive/captions'
import { closestStart } from '../../scene/drive/starts'
import type { View } from '../params'
import type { AppState } from '../store'

/** How a drive begins, and the words that the page shows for it, which may still have to be read. */
export interface Beginning {
  readonly options: ResetOptions
  readonly shown: string
}

/**
 * The seed, and words that need no reading. Where nobody chose words, those of the start or else the first preset.
 */
export function beginningOf(
  {
    seed,
    start,
    starts,
    presets,
    listens,
    fromWords,
  }: Pick<AppState, 'seed' | 'start' | 'starts' | 'presets' | 'listens' | 'fromWords'>,
  view: View,
  chosen: string | null,
  byHeart: (text: string) => Prompt | null,
): Beginning {
  if (!listens) return { options: { seed, ...(start ? { start } : {}) }, shown: '' }
  const caption = starts.find(({ id }) => id === start)?.caption
  const fallback = caption ?? presets[0]?.text ?? 'a drive'
  const shown = chosen ?? fallback
  const known = view === 'simulator' ? { text: shown } : byHeart(shown)
  const words: Prompt = known ?? { text: fallback }
  // Of a start by another name the simulator knows only what its words say.
  const isKnown = caption !== undefined || (starts.length === 0 && (view !== 'simulator' || isPlace(start)))
  // Words and a seed are a place of their own where the dream can draw one, so a link needs no more.
  const draws = fromWords && known !== null && view === 'dream'
  const from = start && isKnown ? start : draws ? undefined : closestStart(shown, starts, seed)?.id
  return { options: { seed, prompt: words, ...(from ? { start: from } : {}) }, shown }
}

function isPlace(start: string | null): boolean {
  return start !== null && Object.keys(heardIn(start)).length > 0
}
