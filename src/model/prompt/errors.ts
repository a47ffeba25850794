import { BadInputError, OneiroError } from '../../engine/errors'

/** The prompt encoder could not be loaded or run, or has been disposed of. */
export class PromptEncoderError extends OneiroError {
  constructor(message: string, options?: { cause?: unknown }) {
    super('PROMPT_ENCODER', message, options)
  }
}

export function emptyPrompt(): BadInputError {
  return new BadInputError(
    'A prompt needs at least one word, but an empty one came. Say what the drive looks like.',
  )
}

export function disposed(): PromptEncoderError {
  return new PromptEncoderError('encode() was called after dispose(). Create a new prompt encoder.')
}

/** What went wrong, as a sentence's ending. */
export function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
