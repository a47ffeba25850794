import { controlsSchema, spaceOf } from '../../engine/controls'
import { z } from '../../engine/schema'
import { ManifestInvalidError, ManifestVersionError } from '../errors'

const VERSION = 1

const count = z.int().check(z.positive())
const row = z.int().check(z.nonnegative())
const positive = z.number().check(z.positive())
const word = z.string().check(z.minLength(1))
const hash = z.string().check(z.regex(/^[0-9a-f]{64}$/, '64 lower-case hex digits'))
const file = z.object({
  // Only names in the world's own folder: a manifest must not make the page fetch from elsewhere.
  path: z.string().check(
    z.regex(/^[\w.-]+(\/[\w.-]+)*$/, 'a relative path without ".."'),
    z.refine((path) => !path.includes('..')),
  ),
  bytes: count,
  sha256: hash,
})

const schema = z
  .object({
    format: z.literal('oneiro-world'),
    version: z.literal(VERSION),
    id: word,
    title: word,
    license: word,
    frame: z.object({ width: count, height: count }),
    ticksPerSecond: positive,
    latent: z.object({
      tokens: count,
      channels: count,
      /** Cells in a row, where the tokens of the picture are a grid of them, row by row. */
      columns: z.optional(count),
      /** How far a unit of each channel moves the picture: what a server may round more, and what less. */
      gains: z.optional(z.array(positive)),
      /** Of the state: what is kept and fed back is rounded to it. */
      dtype: z._default(z.enum(['float32', 'float16']), 'float32'),
    }),
    /** What the numbers of a latent's last tokens say, in this order: (value - centre) / spread. */
    telemetry: z.optional(
      z.array(z.object({ name: word, unit: z.string(), centre: z.number(), spread: positive })),
    ),
    /** Name of the task whose reward and end are functions of those readings. */
    task: z.optional(word),
    history: z.object({ offsets: z.array(count).check(z.minLength(1)) }),
    /** What can be done. */
    controls: controlsSchema,
    /** Actions that the student sees, the one applied now included, and the floats that each is told by. */
    actions: z.object({ count, dims: count, encoding: z._default(z.enum(['number', 'one-hot']), 'number') }),
    /** Left out in a world that listens to no words. */
    prompt: z.optional(
      z.object({
        dim: count,
        encoder: word,
        /** What prompt labels choose between, the most important choice first; behind the values of each there is "none". */
        choices: z.optional(z.record(word, z.array(word).check(z.minLength(1)))),
      }),
    ),
    student: z.looseObject({
      outerSteps: count,
      /** Of each noise latent, the numbers that the student looks at. Left out, all; the others need not be drawn. */
      noise: z.optional(z.array(z.object({ from: row.check(z.multipleOf(4)), count }))),
    }),
    files: z.object({
      student: file,
      decoder: file,
      starts: file,
      encoder: z.optional(file),
      /** From the embeddings of a prompt's phrases to what the student is told; left out, it is told the prompt's own. */
      reader: z.optional(file),
    }),
    starts: z
      .array(
        z.object({
          id: word,
          /** Words for it, in a world that listens to some. */
          caption: z._default(z.string(), ''),
          /** Row of `latents` and `actions` in starts.safetensors. */
          index: row,
          /** Row of `promptEmbeddings` for the caption. Left out, a preset of the same words must have it. */
          embedding: z.optional(row),
        }),
      )
      .check(z.minLength(1)),
    /**
     * A student that begins a drive from words alone: a blank history (zeros) in, the first frame out. `steps` lead to the
     * frame that is shown: one draws it, the others settle it. starts.safetensors has what its instruments may read.
     */
    beginnings: z.optional(z.object({ steps: count })),
    presets: z._default(z.array(z.object({ id: word, text: word, embedding: row })), []),
    selfTest: z.object({
      seed: row,
      latentSample: z.array(z.number()).check(z.minLength(1)),
      /** Where in the latent those numbers are. Left out, at its beginning. */
      latentIndex: z.optional(z.array(row)),
      tolerance: positive,
      /**
       * RGB bytes, in base64, of n pixels of the frame of that tick: the k-th is number floor((k + 1/2) * W * H / n), row by row.
       * `tolerance`: how many levels of 255 they may be off on average. Worlds of earlier exports have none.
       */
      frame: z.optional(
        z.object({
          pixels: z.string().check(z.regex(/^([A-Za-z0-9+/]{4})+$/, 'base64 of whole pixels')),
          tolerance: positive,
        }),
      ),
    }),
    modelHash: hash,
  })
  .check(
    z.superRefine((manifest, context) => {
      const { offsets } = manifest.history
      if (offsets.some((offset, i) => offset <= (offsets[i - 1] ?? 0))) {
        context.addIssue({ code: 'custom', path: ['history', 'offsets'], message: 'offsets must increase' })
      }
      const { dims, encoding } = manifest.actions
      const told = spaceOf(manifest.controls).dims(encoding)
      if (dims !== told) {
        const message = `its controls are told by ${told} numbers (${encoding}), but ${dims} came`
        context.addIssue({ code: 'custom', path: ['actions', 'dims'], message })
      }
      const { channels, gains = [] } = manifest.latent
      if (gains.length !== 0 && gains.length !== channels) {
        const message = `there are ${gains.length}, but ${channels} channels`
        context.addIssue({ code: 'custom', path: ['latent', 'gains'], message })
      }
      const { dim = 0, choices = {} } = manifest.prompt ?? {}
      const read = Object.values(choices).reduce((sum, values) => sum + values.length + 1, 0)
      if (read !== 0 && read !== dim) {
        const message = `its values and their "none" are ${read}, but there are ${dim} labels`
        context.addIssue({ code: 'custom', path: ['prompt', 'choices'], message })
      }
      const { tokens } = manifest.latent
      if ((manifest.telemetry?.length ?? 0) > (tokens - 1) * channels) {
        const message = `there are ${manifest.telemetry!.length}, but only ${tokens - 1} tokens of ${channels} channels beside a picture`
        context.addIssue({ code: 'custom', path: ['telemetry'], message })
      }
      const cells = tokens - Math.ceil((manifest.telemetry?.length ?? 0) / channels)
      if (cells % (manifest.latent.columns ?? 1) !== 0) {
        const message = `${cells} tokens of picture are no whole rows of ${manifest.latent.columns}`
        context.addIssue({ code: 'custom', path: ['latent', 'columns'], message })
      }
      const { noise, outerSteps } = manifest.student
      if (noise && noise.length !== 1 + outerSteps) {
        const message = `there are ${noise.length}, but ${1 + outerSteps} noise latents`
        context.addIssue({ code: 'custom', path: ['student', 'noise'], message })
      }
      noise?.forEach(({ from, count }, i) => {
        if (from + count <= tokens * channels) return
        const message = `ends at ${from + count}, but a latent has ${tokens * channels} numbers`
        context.addIssue({ code: 'custom', path: ['student', 'noise', i], message })
      })
      const { latentSample, latentIndex } = manifest.selfTest
      if (latentIndex && latentIndex.length !== latentSample.length) {
        const message = `there are ${latentIndex.length}, but ${latentSample.length} numbers to find`
        context.addIssue({ code: 'custom', path: ['selfTest', 'latentIndex'], message })
      }
      const { width, height } = manifest.frame
      if ((manifest.selfTest.frame?.pixels.length ?? 0) / 4 > width * height) {
        const message = `there are more of them than the ${width * height} of a frame`
        context.addIssue({ code: 'custom', path: ['selfTest', 'frame', 'pixels'], message })
      }
      if (!manifest.prompt) {
        if (manifest.presets.length === 0) return
        const message = 'there are some, but the world has no prompt'
        context.addIssue({ code: 'custom', path: ['presets'], message })
        return
      }
      if (manifest.presets.length === 0) {
        const message = 'a world with a prompt has one at least'
        context.addIssue({ code: 'custom', path: ['presets'], message })
      }
      const presetTexts = new Set(manifest.presets.map((preset) => promptKey(preset.text)))
      manifest.starts.forEach((start, i) => {
        if (start.embedding === undefined && !presetTexts.has(promptKey(start.caption))) {
          const message = `needs an embedding, because no preset says "${start.caption}"`
          context.addIssue({ code: 'custom', path: ['starts', i], message })
        }
      })
    }),
  )

/** `world.json`: everything about a world but its weights. */
export type Manifest = z.infer<typeof schema>
export type ManifestFile = z.infer<typeof file>

/**
 * The manifest of `world.json`'s text.
 *
 * Throws `ManifestVersionError` where the version is another, `ManifestInvalidError` where the text is no manifest or a
 * field is wrong; the message names the field.
 */
export function parseManifest(text: string): Manifest {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (cause) {
    throw new ManifestInvalidError('it is not JSON', { cause })
  }
  const head = (json ?? {}) as { format?: unknown; version?: unknown }
  if (head.format !== 'oneiro-world') {
    throw new ManifestInvalidError(
      `its format is ${JSON.stringify(head.format)}, but "oneiro-world" was expected`,
    )
  }
  if (head.version !== VERSION) throw new ManifestVersionError(VERSION, head.version)
  const result = schema.safeParse(json)
  if (result.success) return result.data
  const issues = result.error.issues.map((issue) => `${issue.path.join('.') || 'it'}: ${issue.message}`)
  throw new ManifestInvalidError(issues.join('; '))
}

/** Words that differ only in case or surrounding space are the same prompt. */
export function promptKey(text: string): string {
  return text.trim().toLowerCase()
}

/** The sizes that the graphs, the ring and the noise follow from. Lengths are in floats unless they say otherwise. */
export interface WorldShape {
  readonly width: number
  readonly height: number
  readonly tokens: number
  readonly channels: number
  /** Of each channel, how far a unit of it moves the picture; left out where the world does not say. */
  readonly gains?: readonly number[]
  /** Cells in a row of the picture; left out where the world does not say. */
  readonly columns?: number
  /** What the last tokens say; left out where the world has no instruments. */
  readonly telemetry?: Manifest['telemetry']
  /** tokens * channels: one latent frame. */
  readonly latentLength: number
  /** Ages in ticks of the latents that the student sees; 1 is the newest. */
  readonly offsets: readonly number[]
  /** Latents kept: the greatest offset. */
  readonly ringLength: number
  /** Actions that the student sees, the one applied now included. */
  readonly actionCount: number
  readonly actionDims: number
  /** 0 in a world that listens to no words. */
  readonly promptDim: number
  /** What the student is told of words are labels, not an embedding of unit norm. */
  readonly readsWords: boolean
  /** Noise latents a tick: x1, then y1 of every outer step. */
  readonly noiseCount: number
  /** Of each noise latent, the numbers that the student looks at. */
  readonly noise: readonly { readonly from: number; readonly count: number }[]
  /** The state is half precision: latents are rounded to it before anything is made of them. */
  readonly half: boolean
}

export function worldShape(manifest: Manifest): WorldShape {
  const { tokens, channels, columns, gains } = manifest.latent
  const { offsets } = manifest.history
  const { telemetry } = manifest
  const noiseCount = 1 + manifest.student.outerSteps
  return {
    width: manifest.frame.width,
    height: manifest.frame.height,
    tokens,
    channels,
    ...(gains ? { gains } : {}),
    ...(columns ? { columns } : {}),
    ...(telemetry ? { telemetry } : {}),
    latentLength: tokens * channels,
    offsets,
    ringLength: Math.max(...offsets),
    actionCount: manifest.actions.count,
    actionDims: manifest.actions.dims,
    promptDim: manifest.prompt?.dim ?? 0,
    readsWords: manifest.files.reader !== undefined,
    noiseCount,
    noise: manifest.student.noise ?? Array(noiseCount).fill({ from: 0, count: tokens * channels }),
    half: manifest.latent.dtype === 'float16',
  }
}
