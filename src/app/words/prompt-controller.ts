import type { Prompt, Snapshot } from '../../engine/world'
import { sentenceOf } from '../failures'
import { notify, type Preset, type Store } from '../store'
import type { WordPort } from './words'

/** How long a remark stays, milliseconds: it is longer than most. */
const REMARK_MS = 10_000

/** What the drive is told to look like. */
export class PromptController {
  private turns = 0
  /** The newest turn whose words the world was told; a server may still be reading them. */
  private told = 0

  constructor(
    private readonly store: Store,
    private readonly words: WordPort,
    /** Chosen by the address or a person; where nothing was, each world brings its own words. */
    public chosen: string | null,
    /** What a person should know of words that the world was told; null where there is nothing to say. */
    private readonly remark: (prompt: Prompt) => string | null = () => null,
    /** What words that only change the drive make of it. */
    private readonly merge: (prompt: Prompt) => Prompt = (prompt) => prompt,
  ) {}

  /**
   * Turns the drive into what the words say, from the next tick on and without a reset. The newest words win.
   * `readElsewhere`: the world reads text by itself. Resolves to false where they could not be read.
   */
  async say(
    wanted: Preset | string,
    readElsewhere: boolean,
    tell: (prompt: Prompt | { text: string }) => Promise<unknown>,
  ): Promise<boolean> {
    const text = textOf(wanted)
    if (!text) return true
    const turn = ++this.turns
    const before = { chosen: this.chosen, prompt: this.store.getState().prompt }
    this.chosen = text
    this.store.setState({ prompt: text })
    try {
      const read = readElsewhere ? { text } : await this.words.encode(text)
      if (turn !== this.turns) return true
      const prompt = this.merge(read)
      this.chosen = prompt.text
      this.store.setState({ prompt: prompt.text })
      this.told = turn
      await tell(prompt)
      if (turn === this.turns) this.comment(read)
      return true
    } catch (error) {
      if (turn !== this.turns) return true
      notify(this.store, sentenceOf(error), 'warn')
      this.told = turn
      this.chosen = before.chosen
      this.store.setState({ prompt: before.prompt })
      return false
    }
  }

  /** The world is told these words by somebody else; ones that are still being read come to nothing. */
  tell(text: string): void {
    this.told = ++this.turns
    this.chosen = text || null
    this.store.setState({ prompt: text })
  }

  /** Says what of typed words was not understood. Presets are known to be. */
  comment(prompt: Prompt): void {
    const isPreset = this.store.getState().presets.some(({ text }) => text === prompt.text)
    const remark = isPreset ? null : this.remark(prompt)
    if (remark) notify(this.store, remark, 'info', REMARK_MS)
  }

  /** Words that came before there was a drive: it begins with them. */
  begin(wanted: Preset | string): boolean {
    const text = textOf(wanted)
    if (text) {
      this.chosen = text
      this.store.setState({ prompt: text })
    }
    return true
  }

  /** The drive went to where it had other words: those count from now on, but for ones that are still to be told. */
  async went(now: Promise<Snapshot>): Promise<void> {
    const turn = this.told === this.turns ? this.turns : null
    const text = (await now).prompt?.text
    if (text === undefined || turn !== this.turns || text === this.store.getState().prompt) return
    this.chosen = text
    this.store.setState({ prompt: text })
  }

  /** The embedding of words that are known without reading them. */
  readonly byHeart = (text: string) => this.words.byHeart(text)

  /** Words that have to be read first, which the first frame does not wait for. */
  get unread(): string | null {
    return this.chosen !== null && !this.words.byHeart(this.chosen) ? this.chosen : null
  }
}

function textOf(wanted: Preset | string): string {
  return typeof wanted === 'string' ? wanted.trim() : wanted.text
}
