export { type OpenPromptEncoderOptions, openPromptEncoder } from './client'
export { createPromptEncoder, type PromptEncoderOptions } from './encoder'
export { PromptEncoderError } from './errors'
export type { EncoderProgress, PromptEncoder, PromptOrt } from './types'
