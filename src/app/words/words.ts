import { once } from '../../engine/lazily'
import type { Prompt } from '../../engine/world'
import type { PromptEncoder } from '../../model/prompt'
import { loadPart } from '../offline/newer'
import { notify, type Store } from '../store'

const CACHE = 64

/** Where the player gets its words read. */
export interface WordPort {
  learn(texts: Iterable<string>): void
  byHeart(text: string): Prompt | null
  /** From now on these words are read as this. */
  know(text: string, embedding: Float32Array): void
  encode(text: string): Promise<Prompt>
  close(): Promise<void>
}

/**
 * Turns words into what the dream hears. Presets and captions it knows by heart; other words go through the sentence
 * encoder, which is fetched (once) at the first of them. Play goes on meanwhile.
 */
export class Words implements WordPort {
  private readonly encoder = once(() => this.open())
  private asked = false
  private readonly known = new Set<string>()
  private readonly read = new Map<string, Float32Array>()

  constructor(
    private readonly store: Store,
    /** Addresses of the encoder and of the world that is to be told. */
    private readonly url: string,
    private readonly world: string,
  ) {}

  /** Words that the dream knows by heart. */
  learn(texts: Iterable<string>): void {
    for (const text of texts) this.known.add(key(text))
  }

  /** The prompt for `text` where that needs no reading, else null. */
  byHeart(text: string): Prompt | null {
    if (this.known.has(key(text))) return { text }
    const embedding = this.read.get(key(text))
    return embedding ? { text, embedding } : null
  }

  know(text: string, embedding: Float32Array): void {
    if (this.read.size >= CACHE) this.read.delete(this.read.keys().next().value!)
    this.read.set(key(text), embedding)
  }

  /** Reads words, loading the encoder first where it is not there yet. Rejects with a sentence. */
  async encode(text: string): Promise<Prompt> {
    const prompt = this.byHeart(text)
    if (prompt) return prompt
    this.store.setState({ reading: { label: 'reading', fraction: null } })
    try {
      const embedding = await (await this.encoder()).encode(text)
      this.know(text, embedding)
      return { text, embedding }
    } finally {
      this.store.setState({ reading: null })
    }
  }

  async close(): Promise<void> {
    if (this.asked)
      await this.encoder().then(
        (encoder) => encoder.dispose(),
        () => {},
      )
  }

  private async open(): Promise<PromptEncoder> {
    this.asked = true
    const { openPromptEncoder } = await loadPart(() => import('../../model/prompt/client'))
    return openPromptEncoder({
      url: this.url,
      world: this.world,
      onProgress: ({ loaded, total }) => {
        const fraction = total > 0 ? loaded / total : null
        const label =
          fraction !== null && fraction < 1 ? `learning to read · ${Math.round(fraction * 100)} %` : 'reading'
        this.store.setState({ reading: { label, fraction } })
      },
      onNotice: ({ message }) => notify(this.store, message),
    })
  }
}

function key(text: string): string {
  return text.trim().toLowerCase()
}
