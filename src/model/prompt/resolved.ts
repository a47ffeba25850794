export interface ResolvedPrompt {
  readonly text: string
  readonly embedding: Float32Array
}

/** The conditioning in a world that listens to no words. */
export const NO_WORDS: ResolvedPrompt = { text: '', embedding: new Float32Array(0) }
