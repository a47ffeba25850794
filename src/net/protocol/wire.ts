/** The message format of both ends. README.md of this folder draws every layout; all numbers are little-endian. */
import type { z } from '../../engine/schema'
import { WireMalformedError, WireVersionError } from './errors'
import {
  type ClientMessage,
  errorBody,
  FORMATS,
  type FrameMessage,
  helloBody,
  MODES,
  promptBody,
  resetBody,
  type ServerMessage,
  snapshotBody,
  WIRE_VERSION,
  welcomeBody,
  workersBody,
} from './messages'
import { holdsFew, MOST_ITEMS } from './msgpack-limits'
import { pack, unpack } from './pack'

const MEBIBYTE = 1024 * 1024

/** Number and greatest size in bytes of every message. */
export const LAYOUT = {
  hello: { number: 1, most: 1024 },
  reset: { number: 2, most: 32 * 1024 },
  action: { number: 3, most: 17 },
  step: { number: 4, most: 17 },
  prompt: { number: 5, most: 32 * 1024 },
  snapshot: { number: 6, most: 5 },
  restore: { number: 7, most: MEBIBYTE },
  ack: { number: 8, most: 5 },
  heartbeat: { number: 9, most: 9 },
  mode: { number: 10, most: 6 },
  bye: { number: 11, most: 1 },
  /** Controls are told in full. */
  welcome: { number: 129, most: 16 * 1024, items: 4096 },
  frame: { number: 130, most: 64 * 1024 },
  result: { number: 131, most: 5 },
  error: { number: 132, most: 8 * 1024 },
  state: { number: 133, most: MEBIBYTE },
  pong: { number: 134, most: 9 },
  waiting: { number: 135, most: 3 },
  workers: { number: 136, most: 2048 },
  heard: { number: 137, most: 9 },
} as const

/** No message is larger: the `maxPayload` of either end. */
export const MAX_MESSAGE_BYTES = MEBIBYTE

const FRAME_HEADER = 52
const HAS_REWARD = 1
const HAS_DONE = 2
const IS_DONE = 4

/**
 * What a client's bytes claim to be, before they are read: what is decided by it costs nothing. Throws
 * `WireMalformedError` where they are no message, or too large for their kind.
 */
export function clientType(bytes: Uint8Array): ClientMessage['type'] {
  return typeOf(bytes, CLIENT)
}

/** The bytes of a message to the server. */
export function encodeClient(message: ClientMessage): Uint8Array {
  const { number, most } = LAYOUT[message.type]
  switch (message.type) {
    case 'hello':
      return structured([number, WIRE_VERSION], message.body, message.type)
    case 'reset':
    case 'prompt':
    case 'restore':
      return structured(head(number, message.request), message.body, message.type)
    case 'action':
    case 'step': {
      const view = fixed(number, most)
      view.setUint32(1, message.code, true)
      view.setUint32(5, message.type === 'step' ? message.request : message.sequence, true)
      view.setFloat64(9, message.sentAtMs, true)
      return bytesOf(view)
    }
    case 'snapshot':
      return word(number, most, message.request)
    case 'ack':
      return word(number, most, message.sequence)
    case 'heartbeat':
      return time(number, most, message.sentAtMs)
    case 'mode': {
      const view = fixed(number, most)
      view.setUint32(1, message.request, true)
      view.setUint8(5, MODES.indexOf(message.mode))
      return bytesOf(view)
    }
    case 'bye':
      return bytesOf(fixed(number, most))
  }
}

/** A client's message. Throws `WireMalformedError` or `WireVersionError`, and nothing else. */
export function decodeClient(bytes: Uint8Array): ClientMessage {
  const reader = new Reader(bytes, CLIENT)
  switch (reader.type) {
    case 'hello':
      reader.version()
      return { type: 'hello', body: reader.body(helloBody) }
    case 'reset':
      return { type: 'reset', request: reader.request(), body: reader.body(resetBody) }
    case 'prompt':
      return { type: 'prompt', request: reader.request(), body: reader.body(promptBody) }
    case 'restore':
      return { type: 'restore', request: reader.request(), body: reader.body(snapshotBody) }
    case 'action': {
      const code = reader.u32()
      return reader.end({ type: 'action', code, sequence: reader.u32(), sentAtMs: reader.time() })
    }
    case 'step': {
      const code = reader.u32()
      return reader.end({ type: 'step', code, request: reader.request(), sentAtMs: reader.time() })
    }
    case 'snapshot':
      return reader.end({ type: 'snapshot', request: reader.request() })
    case 'ack':
      return reader.end({ type: 'ack', sequence: reader.u32() })
    case 'heartbeat':
      return reader.end({ type: 'heartbeat', sentAtMs: reader.time() })
    case 'mode': {
      const request = reader.request()
      return reader.end({ type: 'mode', request, mode: reader.one(MODES, 'mode') })
    }
    default:
      return reader.end({ type: 'bye' })
  }
}

/** The bytes of a message to the client. */
export function encodeServer(message: ServerMessage): Uint8Array {
  const { number, most } = LAYOUT[message.type]
  switch (message.type) {
    case 'welcome':
      return structured([number, WIRE_VERSION], message.body, message.type)
    case 'frame':
      return encodeFrame(message)
    case 'result':
      return word(number, most, message.request)
    case 'error':
    case 'state':
      return structured(head(number, message.request), message.body, message.type)
    case 'heard': {
      const view = fixed(number, most)
      view.setUint32(1, message.request, true)
      view.setUint32(5, message.tick, true)
      return bytesOf(view)
    }
    case 'pong':
      return time(number, most, message.echoMs)
    case 'waiting': {
      const view = fixed(number, most)
      view.setUint16(1, message.position, true)
      return bytesOf(view)
    }
    case 'workers':
      return structured([number], message.body, message.type)
  }
}

/** A server's message; a frame's payload is a view of `bytes`. Throws as `decodeClient` does. */
export function decodeServer(bytes: Uint8Array): ServerMessage {
  const reader = new Reader(bytes, SERVER)
  switch (reader.type) {
    case 'welcome':
      reader.version()
      return { type: 'welcome', body: reader.body(welcomeBody) }
    case 'frame':
      return decodeFrame(reader)
    case 'result':
      return reader.end({ type: 'result', request: reader.request() })
    case 'error':
      return { type: 'error', request: reader.u32(), body: reader.body(errorBody) }
    case 'state':
      return { type: 'state', request: reader.u32(), body: reader.body(snapshotBody) }
    case 'pong':
      return reader.end({ type: 'pong', echoMs: reader.time() })
    case 'workers':
      return { type: 'workers', body: reader.body(workersBody) }
    case 'heard': {
      const request = reader.request()
      return reader.end({ type: 'heard', request, tick: reader.u32() })
    }
    default:
      return reader.end({ type: 'waiting', position: reader.u16() })
  }
}

function encodeFrame(frame: FrameMessage): Uint8Array {
  const out = new Uint8Array(FRAME_HEADER + frame.payload.length)
  const view = new DataView(out.buffer)
  checkSize('frame', out.length)
  view.setUint8(0, LAYOUT.frame.number)
  view.setUint8(1, flagsOf(frame))
  view.setUint8(2, FORMATS.indexOf(frame.format))
  view.setUint8(3, Math.min(255, frame.batch))
  const words = [frame.request, frame.epoch, frame.sequence, frame.tick, frame.skipped]
  words.forEach((value, i) => {
    view.setUint32(4 + 4 * i, value, true)
  })
  view.setFloat64(24, frame.echoMs, true)
  const { queue, student, encode } = frame.timings
  ;[queue, student, encode, frame.reward ?? 0].forEach((value, i) => {
    view.setFloat32(32 + 4 * i, value, true)
  })
  view.setUint32(48, frame.payload.length, true)
  out.set(frame.payload, FRAME_HEADER)
  return out
}

function flagsOf({ reward, done }: FrameMessage): number {
  return (reward === undefined ? 0 : HAS_REWARD) | (done === undefined ? 0 : HAS_DONE) | (done ? IS_DONE : 0)
}

function decodeFrame(reader: Reader): FrameMessage {
  const flags = reader.u8()
  const format = reader.one(FORMATS, 'format')
  const batch = reader.u8()
  const [request, epoch, sequence, tick, skipped] = [
    reader.u32(),
    reader.u32(),
    reader.u32(),
    reader.u32(),
    reader.u32(),
  ]
  const echoMs = reader.time()
  const timings = { queue: reader.f32(), student: reader.f32(), encode: reader.f32() }
  const reward = reader.f32()
  const payload = reader.rest(reader.u32())
  return {
    type: 'frame',
    ...{ request, epoch, sequence, tick, skipped, echoMs, timings, batch, format, payload },
    ...(flags & HAS_REWARD ? { reward } : {}),
    ...(flags & HAS_DONE ? { done: (flags & IS_DONE) !== 0 } : {}),
  }
}

type MessageName = keyof typeof LAYOUT

const CLIENT = names<ClientMessage['type']>((number) => number < 128)
const SERVER = names<ServerMessage['type']>((number) => number >= 128)

function names<Name extends MessageName>(belongs: (number: number) => boolean): ReadonlyMap<number, Name> {
  const all = Object.entries(LAYOUT).filter(([, { number }]) => belongs(number))
  return new Map(all.map(([name, { number }]) => [number, name as Name]))
}

function typeOf<Name extends MessageName>(bytes: Uint8Array, known: ReadonlyMap<number, Name>): Name {
  const type = known.get(bytes[0] ?? -1)
  if (!type) {
    const what = bytes.length === 0 ? 'it is empty' : `no message of this direction has number ${bytes[0]}`
    throw new WireMalformedError('unknown', what)
  }
  checkSize(type, bytes.length)
  return type
}

/** Reads one message from front to back; whatever does not fit throws `WireMalformedError`. */
class Reader {
  readonly type: MessageName
  private readonly view: DataView
  private at = 1

  constructor(
    private readonly bytes: Uint8Array,
    known: ReadonlyMap<number, MessageName>,
  ) {
    this.type = typeOf(bytes, known)
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  u8(): number {
    return this.view.getUint8(this.take(1))
  }
  u16(): number {
    return this.view.getUint16(this.take(2), true)
  }
  u32(): number {
    return this.view.getUint32(this.take(4), true)
  }
  f32(): number {
    return this.finite(this.view.getFloat32(this.take(4), true))
  }
  time(): number {
    return this.finite(this.view.getFloat64(this.take(8), true))
  }

  request(): number {
    const request = this.u32()
    if (request === 0) throw this.malformed('a request is numbered from 1 on, but 0 came')
    return request
  }

  one<Item>(items: readonly Item[], what: string): Item {
    const index = this.u8()
    const item = items[index]
    if (item === undefined) throw this.malformed(`there is no ${what} ${index}`)
    return item
  }

  version(): void {
    const version = this.u8()
    if (version !== WIRE_VERSION) throw new WireVersionError(WIRE_VERSION, version)
  }

  /** The structured rest of the message. */
  body<Schema extends z.ZodMiniType>(schema: Schema): z.infer<Schema> {
    const body = this.bytes.subarray(this.at)
    checkItems(this.type, body)
    let value: unknown
    try {
      value = unpack(body)
    } catch (cause) {
      throw this.malformed(NO_MSGPACK, cause)
    }
    const result = schema.safeParse(value)
    if (result.success) return result.data
    const issue = result.error.issues[0]!
    throw this.malformed(`${issue.path.join('.') || 'its body'}: ${issue.message}`)
  }

  /** The last `length` bytes, as a view. */
  rest(length: number): Uint8Array {
    const { bytes, at } = this
    if (bytes.length - at !== length) {
      throw this.malformed(`it says ${length} bytes of payload, but has ${bytes.length - at}`)
    }
    return bytes.subarray(at)
  }

  /** `message`, if nothing is left unread. */
  end<Message>(message: Message): Message {
    const left = this.bytes.length - this.at
    if (left > 0) throw this.malformed(`${left} bytes are left over`)
    return message
  }

  private take(length: number): number {
    const at = this.at
    if (at + length > this.bytes.length) {
      throw this.malformed(`it ends after ${this.bytes.length} bytes`)
    }
    this.at += length
    return at
  }

  private finite(value: number): number {
    if (!Number.isFinite(value)) throw this.malformed(`a number is ${value}`)
    return value
  }

  private malformed(what: string, cause?: unknown): WireMalformedError {
    return new WireMalformedError(this.type, what, { cause })
  }
}

function checkSize(type: MessageName, bytes: number): void {
  const { most } = LAYOUT[type]
  if (bytes > most)
    throw new WireMalformedError(type, `it has ${bytes} bytes, and at most ${most} are allowed`)
}

const NO_MSGPACK = 'its body is not msgpack'

/** A megabyte of small values would take half a second to unpack. */
function checkItems(type: MessageName, body: Uint8Array): void {
  const layout: { readonly number: number; readonly items?: number } = LAYOUT[type]
  const { items = MOST_ITEMS } = layout
  let few: boolean
  try {
    few = holdsFew(body, items)
  } catch (cause) {
    throw new WireMalformedError(type, NO_MSGPACK, { cause })
  }
  if (!few) throw new WireMalformedError(type, `its body has more than ${items} keys, values and elements`)
}

function structured(start: readonly number[], body: unknown, type: MessageName): Uint8Array {
  const packed = pack(body)
  const out = new Uint8Array(start.length + packed.length)
  checkSize(type, out.length)
  checkItems(type, packed)
  out.set(start)
  out.set(packed, start.length)
  return out
}

function head(number: number, request: number): number[] {
  return [number, request & 0xff, (request >>> 8) & 0xff, (request >>> 16) & 0xff, request >>> 24]
}

function fixed(number: number, size: number): DataView {
  const view = new DataView(new ArrayBuffer(size))
  view.setUint8(0, number)
  return view
}

function word(number: number, size: number, value: number): Uint8Array {
  const view = fixed(number, size)
  view.setUint32(1, value, true)
  return bytesOf(view)
}

function time(number: number, size: number, ms: number): Uint8Array {
  const view = fixed(number, size)
  view.setFloat64(1, ms, true)
  return bytesOf(view)
}

function bytesOf(view: DataView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
}
