/** What the two ends say to each other; `wire.ts` has it as bytes. */
import { controlsSchema } from '../../engine/controls'
import { z } from '../../engine/schema'
import { FORMAT_VERSION, type SnapshotArray } from '../../engine/world'

/** Raised whenever an old build could misread a new message. */
export const WIRE_VERSION = 5

/** How a frame's picture travels: a packed latent, or a compressed image. */
export const FORMATS = ['latents', 'webp', 'jpeg'] as const
export type FrameFormat = (typeof FORMATS)[number]

/** `lockstep`: the world waits for `step`. `realtime`: it ticks by the server's clock under the newest action. */
export const MODES = ['lockstep', 'realtime'] as const
export type Mode = (typeof MODES)[number]

const MAX_TEXT = 1000
/** Characters that a token or key may have: nobody could say a longer one in a hello. */
export const LONGEST_SECRET = 200

const floats = (most: number) =>
  z.custom<Float32Array>((value) => value instanceof Float32Array && value.length <= most, {
    message: `at most ${most} floats were expected`,
  })
const ARRAYS = [Float32Array, Float64Array, Uint16Array, Uint8Array]
const array = z.custom<SnapshotArray>((value) => ARRAYS.some((kind) => value instanceof kind), {
  message: 'a typed array was expected',
})
const text = z.string().check(z.maxLength(MAX_TEXT))
const upTo = (most: number) => z.string().check(z.minLength(1), z.maxLength(most))
const name = upTo(100)
const secret = upTo(LONGEST_SECRET)
const url = upTo(200)
const count = z.int().check(z.nonnegative())
const positive = z.int().check(z.positive())
export const promptBody = z.object({ text, embedding: z.optional(floats(4096)) })

export const helloBody = z.object({
  /** In order of liking; the server takes the first that it can make. */
  formats: z.array(z.enum(FORMATS)).check(z.minLength(1), z.maxLength(FORMATS.length)),
  mode: z.enum(MODES),
  /** Of the decoder that the client has; latents are only sent where it is the server's own. */
  decoderHash: z.optional(name),
  /** Opens the server, where it asks for one. */
  token: z.optional(secret),
  /** A seat that `POST /seats` keeps; lets its bearer in once, without the token. */
  seat: z.optional(secret),
  /** Takes up the session that the last welcome gave it for. */
  resume: z.optional(secret),
  /** Watches a session instead of having one: its key from the player's welcome, or its id and the token. */
  watch: z.optional(secret),
  /** Another connection of a session that is played: its key from the newest welcome. */
  subflow: z.optional(secret),
})

export const welcomeBody = z.object({
  world: z.object({
    id: name,
    backend: name,
    modelHash: name,
    width: positive,
    height: positive,
    ticksPerSecond: z.number().check(z.positive()),
    /** Actions are named by their codes, `ActionSpace.code`. */
    controls: controlsSchema,
    prompt: z.boolean(),
    telemetry: z.readonly(
      z.array(z.object({ name, unit: z.string().check(z.maxLength(100)) })).check(z.maxLength(256)),
    ),
    reward: z.boolean(),
    done: z.boolean(),
  }),
  latent: z.object({ tokens: positive, channels: positive }),
  format: z.enum(FORMATS),
  /** Opens this session again, once, after the connection was lost. Spectators have none, and watch again. */
  resume: z.optional(secret),
  /** Lets others watch this session. Told once, when it begins. */
  watch: z.optional(secret),
  /** Lets its player open further connections beside this one, for as long as this one lasts. */
  subflow: z.optional(secret),
  /** The session existed before: unanswered requests may be sent again, and are carried out once. */
  resumed: z.boolean(),
  /**
   * The worker that had the session is gone, and this one goes on from its last snapshot, a second old at most: the epoch
   * of that; 0 where the session had not begun.
   */
  epoch: z.optional(count),
})

export const resetBody = z.object({
  seed: count,
  prompt: z.optional(z.union([text, promptBody])),
  start: z.optional(name),
})

export const snapshotBody = z.object({
  format: z.literal('oneiro-snapshot'),
  version: z.literal(FORMAT_VERSION),
  world: name,
  modelHash: name,
  tick: count,
  seed: count,
  prompt: z.nullable(z.object({ text, embedding: z.nullable(floats(4096)) })),
  state: z.record(name, array),
})

export const errorBody = z.object({
  code: name,
  message: z.string().check(z.maxLength(2000)),
  /** Where to go instead, and the seat that is kept there for who has no session yet. */
  to: z.optional(z.object({ url, seat: z.optional(secret) })),
})

/** Addresses of other workers that are told of at most. */
export const MOST_WORKERS = 8
export const workersBody = z.object({ urls: z.array(url).check(z.maxLength(MOST_WORKERS)) })

/** The bodies that a client's requests have. */
export const REQUEST_BODIES = { reset: resetBody, prompt: promptBody, restore: snapshotBody } as const

export type Hello = z.infer<typeof helloBody>
export type Welcome = z.infer<typeof welcomeBody>
export type ErrorBody = z.infer<typeof errorBody>
/** Where a client is sent. */
export type Elsewhere = NonNullable<ErrorBody['to']>
export type WireReset = z.infer<typeof resetBody>
export type WirePrompt = z.infer<typeof promptBody>
export type WireSnapshot = z.infer<typeof snapshotBody>

/** Requests are numbered by the client from 1 on, each higher than the last; the answer names the same number. */
export type ClientMessage =
  | { readonly type: 'hello'; readonly body: Hello }
  | { readonly type: 'reset'; readonly request: number; readonly body: WireReset }
  /** The newest input; replaces the one before. `sentAtMs` is the client's clock and comes back with the frame. */
  | { readonly type: 'action'; readonly code: number; readonly sequence: number; readonly sentAtMs: number }
  | { readonly type: 'step'; readonly request: number; readonly code: number; readonly sentAtMs: number }
  | { readonly type: 'prompt'; readonly request: number; readonly body: WirePrompt }
  | { readonly type: 'snapshot'; readonly request: number }
  | { readonly type: 'restore'; readonly request: number; readonly body: WireSnapshot }
  /** Every frame up to this sequence has arrived. */
  | { readonly type: 'ack'; readonly sequence: number }
  | { readonly type: 'heartbeat'; readonly sentAtMs: number }
  | { readonly type: 'mode'; readonly request: number; readonly mode: Mode }
  | { readonly type: 'bye' }

/** Where a frame's time went on the server, milliseconds. */
export interface ServerTimings {
  /** From when the tick was due, or asked for, to when it began. */
  readonly queue: number
  readonly student: number
  /** Making the payload: packing the latent, or decoding and compressing the picture. */
  readonly encode: number
}

export interface FrameMessage {
  readonly type: 'frame'
  /** The reset, step or restore that it answers; 0 for a frame of realtime play. */
  readonly request: number
  readonly epoch: number
  /** Frames sent in this session so far. */
  readonly sequence: number
  readonly tick: number
  /** Frames of this session that were not sent so far, because three were unacknowledged. */
  readonly skipped: number
  /** `sentAtMs` of the action that made it, by the client's clock; 0 where there was none. */
  readonly echoMs: number
  readonly timings: ServerTimings
  /** Sessions that were computed in the same run. */
  readonly batch: number
  readonly reward?: number
  readonly done?: boolean
  readonly format: FrameFormat
  readonly payload: Uint8Array
}

export type ServerMessage =
  | { readonly type: 'welcome'; readonly body: Welcome }
  | FrameMessage
  /** A prompt was taken; `tick` is the first that is made under it, 0 where newer words came before it was read. */
  | { readonly type: 'heard'; readonly request: number; readonly tick: number }
  /** A mode was taken. */
  | { readonly type: 'result'; readonly request: number }
  /** A request failed; where `request` is 0, the connection is about to be closed. */
  | { readonly type: 'error'; readonly request: number; readonly body: ErrorBody }
  /** The snapshot asked for; where `request` is 0, the server is going away, and this is where the drive was. */
  | { readonly type: 'state'; readonly request: number; readonly body: WireSnapshot }
  | { readonly type: 'pong'; readonly echoMs: number }
  /** The server is full; the client is let in when those before it are. 1 is next. */
  | { readonly type: 'waiting'; readonly position: number }
  /** The other workers that take sessions up when this one is gone; after the welcome, and whenever they change. */
  | { readonly type: 'workers'; readonly body: z.infer<typeof workersBody> }
