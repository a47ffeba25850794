import { Tokenizer } from '@huggingface/tokenizers'
import { emptyPrompt } from './errors'

export interface Tokens {
  /** [CLS] words [SEP]. */
  readonly ids: number[]
  /** Tokens that did not fit and were cut. */
  readonly dropped: number
}

/** WordPiece tokens of a prompt, the same as `distill/data/prompt_encoder.py` makes. */
export interface PromptTokenizer {
  /** Throws `BadInputError` where `text` has nothing to read. */
  tokenize(text: string): Tokens
  /** The same, or null where there is nothing. */
  find(text: string): Tokens | null
}

/** `json`: the parsed tokenizer.json. Throws where it is not one of a BERT. */
export function createPromptTokenizer(json: object, maxTokens: number): PromptTokenizer {
  const tokenizer = new Tokenizer(json, {})
  const sep = tokenizer.token_to_id('[SEP]')
  if (sep === undefined) throw new Error('tokenizer.json has no [SEP] token')
  const find = (text: string): Tokens | null => {
    // JavaScript lower-cases a sigma by its place in the word, the Rust tokenizer never does.
    const ids = tokenizer.encode(text.trim().replaceAll('Σ', 'σ')).ids
    if (ids.length <= 2) return null
    const dropped = Math.max(0, ids.length - maxTokens)
    return { ids: dropped ? [...ids.slice(0, maxTokens - 1), sep] : ids, dropped }
  }
  return {
    find,
    tokenize(text) {
      const tokens = find(text)
      if (!tokens) throw emptyPrompt()
      return tokens
    },
  }
}
