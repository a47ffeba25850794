import { checkPrompt, NO_PROMPT } from '../../engine/checks'
import { BadInputError } from '../../engine/errors'
import type { Prompt } from '../../engine/world'
import { promptKey } from '../assets/manifest'
import type { WorldFiles } from '../assets/world-files'
import type { ResolvedPrompt } from './resolved'

/** Words to embeddings: given ones are checked, presets and captions are known by heart, others go to the encoder. */
export class Prompts {
  private latest = 0

  constructor(
    private readonly files: Pick<WorldFiles, 'shape' | 'knownPrompts'>,
    private readonly encode?: (text: string) => Promise<Float32Array>,
  ) {}

  /** Starts a new turn: a prompt still being encoded for an older one must not be applied. */
  outdate(): { isLatest(): boolean } {
    const turn = ++this.latest
    return { isLatest: () => turn === this.latest }
  }

  /** The prompt's embedding where it needs no encoder, else null. Throws `BadInputError` where it is no prompt. */
  known(prompt: Prompt | string): ResolvedPrompt | null {
    if (this.files.shape.promptDim === 0) throw new BadInputError(NO_PROMPT)
    checkPrompt(prompt)
    const { text, embedding } = typeof prompt === 'string' ? { text: prompt } : prompt
    if (embedding) return { text, embedding: this.checked(embedding) }
    const byHeart = this.files.knownPrompts.get(promptKey(text))
    return byHeart ? { text, embedding: byHeart } : null
  }

  async resolve(prompt: Prompt | string): Promise<ResolvedPrompt> {
    const known = this.known(prompt)
    if (known) return known
    const text = typeof prompt === 'string' ? prompt : prompt.text
    if (!this.encode) {
      throw new BadInputError(
        `"${text}" is none of the world's presets, and this world was opened without a prompt encoder. Choose a preset, or pass the embedding.`,
      )
    }
    return { text, embedding: this.checked(await this.encode(text)) }
  }

  private checked(embedding: Float32Array): Float32Array {
    const { promptDim, readsWords } = this.files.shape
    let squares = 0
    for (const value of embedding) squares += value * value
    const norm = Math.sqrt(squares)
    // Both are written so that NaN fails them.
    const fits = readsWords
      ? embedding.every((value) => value >= 0 && value <= 1.001)
      : Math.abs(norm - 1) < 0.02
    if (embedding.length !== promptDim || !fits) {
      const wanted = readsWords ? 'from 0 to 1' : 'of unit norm'
      throw new BadInputError(
        `The conditioning of a prompt in this world is ${promptDim} floats ${wanted}, but ${embedding.length} of norm ${norm.toFixed(2)} came.`,
      )
    }
    return embedding.slice()
  }
}
