import { BadInputError } from '../../engine/errors'
import { z } from '../../engine/schema'

const file = z.object({
  path: z.string().check(z.regex(/^[\w-][\w.-]*$/, 'must be a plain file name beside encoder.json')),
  bytes: z.int().check(z.positive()),
  sha256: z.string().check(z.regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hex digits')),
})

const manifest = z.object({
  format: z.literal('oneiro-prompt-encoder'),
  version: z.literal(1),
  name: z.string(),
  /** Floats in an embedding. */
  dim: z.int().check(z.positive()),
  /** Longest prompt read, in tokens, [CLS] and [SEP] included. */
  maxTokens: z.int().check(z.minimum(3)),
  files: z.object({ model: file, tokenizer: file }),
  license: z.string(),
})

export type EncoderManifest = z.infer<typeof manifest>

/** Reads `encoder.json`. Throws `BadInputError` naming the field that is wrong. */
export function parseEncoderManifest(bytes: Uint8Array): EncoderManifest {
  let json: unknown
  try {
    json = JSON.parse(new TextDecoder().decode(bytes))
  } catch (cause) {
    throw new BadInputError('encoder.json is not JSON. Check that the address leads to the prompt encoder.', {
      cause,
    })
  }
  const parsed = manifest.safeParse(json)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]!
  const field = issue.path.join('.') || 'the file'
  throw new BadInputError(
    `encoder.json is not a manifest of version 1: ${field}: ${issue.message}. Use the assets of this release.`,
    { cause: parsed.error },
  )
}
