import { Tokenizer } from '@huggingface/tokenizers'
import { emptyPrompt } from './errors'

export interface Tokens {
  /** [CLS] words [SEP]. */
  readonly ids: number[]
  /** Tokens that did not fit and were cut. */
  readonly dropped: number
}

/** WordPiece tokens of a prompt, the same as `distill/prompt.py` makes. */
export interface PromptTokenizer {
  /** Throws `BadInputError` where `text` has nothing to read. */
  tokenize(text: string): Tokens
  /** Whether there is nothing to read in `text`. */
  isEmpty(text: string): boolean
}

/** `json`: the parsed tokenizer.json. Throws where it is not one of a BERT. */
export function createPromptTokenizer(json: object, maxTokens: number): PromptTokenizer {
  const tokenizer = new Tokenizer(json, {})
  const sep = tokenizer.token_to_id('[SEP]')
  if (sep === undefined) throw new Error('tokenizer.json has no [SEP] token')
  // JavaScript lower-cases a sigma by its place in the word, the Rust tokenizer never does.
  const encode = (text: string) => tokenizer.encode(text.trim().replaceAll('Σ', 'σ')).ids
  return {
    isEmpty: (text) => encode(text).length <= 2,
    tokenize(text) {
      const ids = encode(text)
      if (ids.length <= 2) throw emptyPrompt()
      const dropped = Math.max(0, ids.length - maxTokens)
      return { ids: dropped ? [...ids.slice(0, maxTokens - 1), sep] : ids, dropped }
    },
  }
}
