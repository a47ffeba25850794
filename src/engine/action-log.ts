import { decodeNumbers, type EncodedNumbers, encodeNumbers, NUMBER_TYPES } from './base64'
import { type Action, type Control, controlsSchema, spaceOf } from './controls'
import { BadInputError } from './errors'
import { z } from './schema'
import { FORMAT_VERSION, type Prompt, type ResetOptions, type Snapshot } from './world'

const encoded = z.strictObject({
  type: z.enum(NUMBER_TYPES),
  base64: z.base64(),
})
const embedding = z.extend(encoded, { type: z.literal('float32') })
const whole = z.int().check(z.minimum(0))
/** A world's name is that of a folder, and must lead nowhere else. */
const world = z.string().check(z.regex(/^[\w-][\w.-]*$/, 'a world is a plain name such as "drive"'))
const frameHash = z.string().check(z.regex(/^[0-9a-f]{16}$/))

const resetPart = z.strictObject({
  seed: whole,
  start: z.optional(z.string()),
  prompt: z.optional(z.strictObject({ text: z.string(), embedding: z.optional(embedding) })),
})

const snapshotPart = z.strictObject({
  format: z.literal('oneiro-snapshot'),
  version: z.literal(FORMAT_VERSION),
  world,
  modelHash: z.string(),
  tick: whole,
  seed: whole,
  prompt: z.nullable(z.strictObject({ text: z.string(), embedding: z.nullable(embedding) })),
  state: z.record(z.string(), encoded),
})

const actionLog: z.ZodMiniType<ActionLog> = z
  .strictObject({
    format: z.literal('oneiro-actions'),
    version: z.literal(FORMAT_VERSION),
    world,
    modelHash: z.string(),
    backend: z.string(),
    controls: controlsSchema,
    begin: z.union([z.strictObject({ reset: resetPart }), z.strictObject({ restore: snapshotPart })]),
    actions: z.array(whole),
    prompts: z.array(
      z.strictObject({ afterTick: whole, text: z.string(), embedding: z.optional(embedding) }),
    ),
    hashes: z.array(z.nullable(frameHash)),
    run: z.optional(
      z.strictObject({ day: z.string().check(z.regex(/^\d{4}-\d\d-\d\d$/)), score: z.number() }),
    ),
  })
  .check(
    z.superRefine((log: ActionLog, context) => {
      const refuse = (message: string) => context.addIssue({ code: 'custom', message })
      if (log.hashes.length !== log.actions.length + 1) {
        refuse(`${log.actions.length} actions need one hash more, but ${log.hashes.length} came`)
      }
      const { size } = spaceOf(log.controls)
      const strange = log.actions.find((code) => code >= size)
      if (strange !== undefined) refuse(`its controls make ${size} actions, but code ${strange} came`)
      const first = firstTick(log)
      let last = first
      for (const { afterTick } of log.prompts) {
        if (afterTick < last || afterTick > first + log.actions.length)
          refuse(`a prompt after tick ${afterTick} is out of place`)
        last = afterTick
      }
    }),
  )

type LoggedEmbedding = EncodedNumbers & { readonly type: 'float32' }

interface LoggedPrompt {
  readonly text: string
  readonly embedding?: LoggedEmbedding | undefined
}

interface LoggedReset {
  readonly seed: number
  readonly start?: string | undefined
  readonly prompt?: LoggedPrompt | undefined
}

interface LoggedSnapshot extends Omit<Snapshot, 'prompt' | 'state'> {
  readonly prompt: { readonly text: string; readonly embedding: LoggedEmbedding | null } | null
  readonly state: Readonly<Record<string, EncodedNumbers>>
}

/**
 * Everything that decided a drive, as plain JSON, and the frames it led to as hashes.
 *
 * @example
 * const log = readActionLog(await readFile('drive.actions.json', 'utf8'))
 * const { divergence } = await replay(log, world)
 */
export interface ActionLog {
  readonly format: 'oneiro-actions'
  readonly version: typeof FORMAT_VERSION
  readonly world: string
  readonly modelHash: string
  readonly backend: string
  readonly controls: readonly Control[]
  /** How it began: a reset, or a snapshot handed over in mid-play. */
  readonly begin: { readonly reset: LoggedReset } | { readonly restore: LoggedSnapshot }
  /** One code of an action a tick, see `ActionSpace.code`; the first leads to the tick after the beginning. */
  readonly actions: readonly number[]
  /** A prompt given after `afterTick` counts from the next tick on. */
  readonly prompts: readonly (LoggedPrompt & { readonly afterTick: number })[]
  /** Frame hashes, the first frame's first; null where a frame never left the GPU. */
  readonly hashes: readonly (string | null)[]
  /** Of a run: its day, and the score that the actions make. */
  readonly run?: { readonly day: string; readonly score: number } | undefined
}

type BeginPart = ActionLog['begin']

/** Tick of the first frame: 0 after a reset, the snapshot's own after a restore. */
export function firstTick(log: { readonly begin: BeginPart }): number {
  return 'reset' in log.begin ? 0 : log.begin.restore.tick
}

/** Tick of the last frame. */
export function lastTick(log: ActionLog): number {
  return firstTick(log) + log.actions.length
}

/** The action that leads to a tick. Throws `BadInputError` outside the log. */
export function actionTo(log: ActionLog, index: number): Action {
  return spaceOf(log.controls).action(log.actions[index - firstTick(log) - 1] ?? Number.NaN)
}

/**
 * The log as JSON text.
 *
 * @example
 * await writeFile('drive.actions.json', writeActionLog(timeline.log()))
 */
export function writeActionLog(log: ActionLog): string {
  return `${JSON.stringify(log)}\n`
}

/**
 * Reads JSON text. Throws `BadInputError` that names the first field that is wrong.
 *
 * @example
 * const log = readActionLog(await readFile('drive.actions.json', 'utf8'))
 */
export function readActionLog(text: string): ActionLog {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (cause) {
    throw new BadInputError('An action log is JSON, but this text is not. Is the file whole?', { cause })
  }
  const { format, version } = (json ?? {}) as { format?: unknown; version?: unknown }
  if (format === 'oneiro-actions' && version !== FORMAT_VERSION) {
    throw new BadInputError(
      `This action log is of version ${version}, but version ${FORMAT_VERSION} was expected. Replay it with the release that wrote it, or record the drive again.`,
    )
  }
  const result = actionLog.safeParse(json)
  if (result.success) return result.data
  const issue = result.error.issues[0]!
  const where = issue.path.length > 0 ? ` at ${issue.path.join('.')}` : ''
  throw new BadInputError(`This is not an action log${where}: ${issue.message}.`, {
    cause: result.error,
  })
}

/** A prompt as a log keeps it. */
export function encodePrompt(prompt: Prompt | string): LoggedPrompt {
  if (typeof prompt === 'string') return { text: prompt }
  if (!prompt.embedding) return { text: prompt.text }
  return { text: prompt.text, embedding: { ...encodeNumbers(prompt.embedding), type: 'float32' } }
}

/** Inverse of {@link encodePrompt}. */
export function decodePrompt(prompt: { text: string; embedding?: EncodedNumbers | null }): Prompt {
  if (!prompt.embedding) return { text: prompt.text }
  return { text: prompt.text, embedding: decodeNumbers(prompt.embedding) as Float32Array }
}

export function encodeReset({ seed, start, prompt }: ResetOptions): BeginPart {
  return {
    reset: {
      seed,
      ...(start === undefined ? {} : { start }),
      ...(prompt === undefined ? {} : { prompt: encodePrompt(prompt) }),
    },
  }
}

export function encodeSnapshot(snapshot: Snapshot): BeginPart {
  const { prompt } = snapshot
  const embedding = prompt?.embedding
  return {
    restore: {
      ...snapshot,
      prompt: prompt && {
        text: prompt.text,
        embedding: embedding ? { ...encodeNumbers(embedding), type: 'float32' } : null,
      },
      state: Object.fromEntries(
        Object.entries(snapshot.state).map(([name, numbers]) => [name, encodeNumbers(numbers)]),
      ),
    },
  }
}

/** How a world begins what the log tells. */
export function decodeBegin(begin: BeginPart): { reset: ResetOptions } | { restore: Snapshot } {
  if ('reset' in begin) {
    const { seed, start, prompt } = begin.reset
    return { reset: { seed, start, prompt: prompt && decodePrompt(prompt) } }
  }
  const { prompt, state, ...rest } = begin.restore
  return {
    restore: {
      ...rest,
      prompt: prompt && { text: prompt.text, embedding: decodePrompt(prompt).embedding ?? null },
      state: Object.fromEntries(
        Object.entries(state).map(([name, numbers]) => [name, decodeNumbers(numbers)]),
      ),
    },
  }
}
