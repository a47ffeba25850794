import { heardIn, unknownWords } from '../../scene/drive/captions'

/** What a world made of words: by thing, as `{ time: 'night' }`; null where it reads them elsewhere and does not say. */
export type Heard = Readonly<Record<string, string>> | null

const EXAMPLE = 'Say for example "a snowy night drive".'
/** Words listed at most, and letters of the text shown. */
const LISTED = 6
const SHOWN = 40

/**
 * What a person should know of the words they typed: what was heard and what is not known here. Null where all of it was
 * understood, or where nobody can say.
 */
export function remarkOn(text: string, heard: Heard): string | null {
  const letters = text.match(/\p{L}/gu) ?? []
  const foreign = letters.filter((letter) => !/\p{Script=Latin}/u.test(letter)).length > letters.length / 2
  const language = foreign ? ' Only English words are understood.' : ''
  if (!heard) return foreign ? `Nothing in "${cut(text)}" can be read.${language} ${EXAMPLE}` : null
  const names = Object.values(heard)
  if (names.length === 0) {
    return `Nothing in "${cut(text)}" names a place, a time of day or a weather that is known here, so the drive stays as it is.${language} ${EXAMPLE}`
  }
  const unknown = unknownWords(text)
  if (unknown.length === 0) return null
  const list = unknown.slice(0, LISTED).join(', ') + (unknown.length > LISTED ? ' and more' : '')
  // Words that nobody wrote down may be the ones that were understood, or were not: "xyzzy" is read as rain.
  const explained = heardIn(text)
  const guessed = Object.entries(heard).flatMap(([thing, value]) => (thing in explained ? [] : [value]))
  if (guessed.length > 0) return `Guessed from ${list}: ${guessed.join(', ')}.${language}`
  return `Heard: ${names.join(', ')}. Not known here: ${list}.${language}`
}

/** What the simulator makes of words. */
export function heardBySimulator(text: string): Heard {
  return { ...heardIn(text) }
}

function cut(text: string): string {
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text
}
