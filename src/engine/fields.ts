/** Sentences about values: what came, what an object may hold, and what was probably meant. */
import { BadInputError } from './errors'

/** Throws unless `value` is an object that has no other fields than `known`; a misspelt one is named. */
export function checkFields(what: string, value: unknown, known: readonly string[]): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new BadInputError(`${what} is an object with ${listed(known)}, but ${shown(value)} came.`)
  }
  for (const field of Object.keys(value)) {
    if (known.includes(field)) continue
    const meant = known.find((name) => areClose(name, field))
    throw new BadInputError(
      `${what} has ${listed(known)}, but "${field}" came.${meant ? ` Did you mean "${meant}"?` : ' Leave it out.'}`,
    )
  }
}

/** A value in few words, for a sentence. */
export function shown(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return `an object with ${listed(Object.keys(value)) || 'nothing in it'}`
  const text = typeof value === 'string' ? `"${value}"` : String(value)
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}

function listed(names: readonly string[]): string {
  if (names.length < 2) return names.join('')
  return names.length > 6
    ? `${names.slice(0, 6).join(', ')} and more`
    : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`
}

/** True where one letter is missing, too many, wrong or at the place of its neighbour. */
function areClose(a: string, b: string): boolean {
  if (a.toLowerCase() === b.toLowerCase()) return true
  let start = 0
  while (start < Math.min(a.length, b.length) && a[start] === b[start]) start++
  let end = 0
  while (end < Math.min(a.length, b.length) - start && a.at(-1 - end) === b.at(-1 - end)) end++
  return Math.max(a.length, b.length) - start - end <= 2
}
