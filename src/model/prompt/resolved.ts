export interface ResolvedPrompt {
  readonly text: string
  readonly embedding: Float32Array
}

/** What a student is told in a world that listens to no words. */
export const NO_WORDS: ResolvedPrompt = { text: '', embedding: new Float32Array(0) }
