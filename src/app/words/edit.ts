import type { Prompt } from '../../engine/world'
import { edited, namedIn } from '../../model/prompt/labels'
import type { AppState } from '../store'

type Now = Pick<AppState, 'heard' | 'choices'>

/** How words begin that change the drive and do not say all of it. */
const CHANGE = /^(please,? )?(and|but|also|now|then|make it|turn it|let it|with|add|more|without)\b/i

/** What words make of the drive that is under way: "make it foggy" changes the weather, and the rest stays. */
export function merged(prompt: Prompt, { heard, choices }: Now): Prompt {
  if (!CHANGE.test(prompt.text.trim()) || !prompt.embedding || !heard?.labels || !choices) return prompt
  return promptOf(edited(heard.labels, choices, namedIn(prompt.embedding, choices)), choices)
}

/** The drive under way with another value of one thing. Null where nobody knows its conditioning. */
export function chosen({ heard, choices }: Now, thing: string, value: string | null): Prompt | null {
  if (!heard || !choices) return null
  if (heard.labels) return promptOf(edited(heard.labels, choices, { [thing]: value }), choices)
  const { [thing]: _, ...others } = heard.values
  return { text: textOf({ ...others, ...(value === null ? {} : { [thing]: value }) }, choices) }
}

function promptOf(embedding: Float32Array, choices: NonNullable<Now['choices']>): Prompt {
  return { text: textOf(namedIn(embedding, choices), choices), embedding }
}

/** Values as words, in the order of what matters: "snow, night, fog". */
function textOf(values: Readonly<Record<string, string>>, choices: NonNullable<Now['choices']>): string {
  const named = Object.keys(choices).flatMap((thing) => values[thing] ?? [])
  return named.length > 0 ? named.join(', ') : 'anything'
}
