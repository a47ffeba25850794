import { type LoadOptions, loadSentenceModel, type SentenceModel } from './load'

/** A model of sentences that is loaded when it is first needed, and again where that failed. */
export interface Sentences {
  load(): Promise<SentenceModel>
  /** Lets go of it. Idempotent. */
  release(): Promise<void>
}

/** One that nobody else uses. */
export function ownSentences(options: LoadOptions): Sentences {
  let loading: Promise<SentenceModel> | null = null
  return {
    load() {
      loading ??= loadSentenceModel(options)
      const started = loading
      started.catch(() => {
        if (loading === started) loading = null
      })
      return started
    },
    async release() {
      const loaded = await loading?.catch(() => null)
      loading = null
      if (loaded) await options.runExclusive(() => loaded.session.release())
    },
  }
}

/** Models in use, by what they were opened from. */
const held = new Map<string, { readonly sentences: Sentences; users: number }>()

/** One that all who ask for `key` have together: opened for the first of them, let go of with the last. */
export function sharedSentences(key: string, open: () => Sentences): Sentences {
  let mine: { readonly sentences: Sentences; users: number } | null = null
  return {
    load() {
      if (!mine) {
        mine = held.get(key) ?? { sentences: open(), users: 0 }
        held.set(key, mine)
        mine.users++
      }
      return mine.sentences.load()
    },
    async release() {
      const left = mine
      mine = null
      if (!left || --left.users > 0) return
      if (held.get(key) === left) held.delete(key)
      await left.sentences.release()
    },
  }
}
