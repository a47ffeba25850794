/** What the tests of the wire share. */
import fc from 'fast-check'
import { type ClientMessage, FORMATS, MODES, type ServerMessage } from './messages'

const word32 = fc.integer({ min: 1, max: 0xffff_ffff })
const ms = fc.double({ min: 0, max: 1e13, noNaN: true })
const float = fc.float({ min: 0, max: 1e4, noNaN: true })
const name = fc.string({ minLength: 1, maxLength: 40 })
const text = fc.string({ maxLength: 200, unit: 'grapheme' })
const code = fc.integer({ min: 0, max: 0xffff_ffff })
const control = fc.record(
  {
    name: fc.stringMatching(/^[a-z]\w{0,9}$/),
    kind: fc.constant('button' as const),
    label: name.map((text) => text.slice(0, 32)),
  },
  { requiredKeys: ['name', 'kind'] },
)
const controls = fc.uniqueArray(control, { minLength: 1, maxLength: 8, selector: ({ name }) => name })
const floats = fc.array(fc.float({ noNaN: true }), { maxLength: 32 }).map((all) => Float32Array.from(all))
const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined })

const prompt = fc.record({ text, embedding: floats }, { requiredKeys: ['text'] })
const snapshot = fc.record({
  format: fc.constant('oneiro-snapshot' as const),
  version: fc.constant(2 as const),
  world: name,
  modelHash: name,
  tick: fc.nat(),
  seed: fc.maxSafeNat(),
  prompt: fc.option(fc.record({ text, embedding: fc.option(floats, { nil: null }) }), { nil: null }),
  state: fc.record({ latents: floats, actions: floats, seen: fc.uint8Array({ maxLength: 9 }) }),
})

export const clientMessages: fc.Arbitrary<ClientMessage> = fc.oneof(
  fc.record({
    type: fc.constant('hello' as const),
    body: fc.record(
      {
        formats: fc.uniqueArray(fc.constantFrom(...FORMATS), { minLength: 1 }),
        mode: fc.constantFrom(...MODES),
        decoderHash: name,
        token: name,
        seat: name,
        resume: name,
        watch: name,
        subflow: name,
      },
      { requiredKeys: ['formats', 'mode'] },
    ),
  }),
  fc.record({
    type: fc.constant('reset' as const),
    request: word32,
    body: fc.record(
      { seed: fc.maxSafeNat(), prompt: fc.oneof(text, prompt), start: name },
      { requiredKeys: ['seed'] },
    ),
  }),
  fc.record({ type: fc.constant('action' as const), code, sequence: word32, sentAtMs: ms }),
  fc.record({ type: fc.constant('step' as const), code, request: word32, sentAtMs: ms }),
  fc.record({ type: fc.constant('prompt' as const), request: word32, body: prompt }),
  fc.record({ type: fc.constant('snapshot' as const), request: word32 }),
  fc.record({ type: fc.constant('restore' as const), request: word32, body: snapshot }),
  fc.record({ type: fc.constant('ack' as const), sequence: word32 }),
  fc.record({ type: fc.constant('heartbeat' as const), sentAtMs: ms }),
  fc.record({ type: fc.constant('mode' as const), request: word32, mode: fc.constantFrom(...MODES) }),
  fc.constant({ type: 'bye' as const }),
)

export const serverMessages: fc.Arbitrary<ServerMessage> = fc.oneof(
  fc.record({
    type: fc.constant('welcome' as const),
    body: fc.record(
      {
        world: fc.record({
          id: name,
          backend: name,
          modelHash: name,
          width: word32,
          height: word32,
          ticksPerSecond: fc.integer({ min: 1, max: 240 }),
          controls,
          prompt: fc.boolean(),
          telemetry: fc.array(fc.record({ name, unit: name }), { maxLength: 9 }),
          reward: fc.boolean(),
          done: fc.boolean(),
        }),
        latent: fc.record({ tokens: word32, channels: word32 }),
        format: fc.constantFrom(...FORMATS),
        resume: name,
        watch: name,
        subflow: name,
        resumed: fc.boolean(),
        epoch: fc.nat(),
      },
      { requiredKeys: ['world', 'latent', 'format', 'resumed'] },
    ),
  }),
  fc
    .record({
      request: fc.nat(),
      epoch: word32,
      sequence: word32,
      tick: word32,
      skipped: fc.nat(),
      echoMs: ms,
      timings: fc.record({ queue: float, student: float, encode: float }),
      batch: fc.integer({ min: 1, max: 255 }),
      reward: optional(float),
      done: optional(fc.boolean()),
      format: fc.constantFrom(...FORMATS),
      payload: fc.uint8Array({ maxLength: 300 }),
    })
    .map(({ reward, done, ...frame }) => ({
      type: 'frame' as const,
      ...frame,
      ...(reward === undefined ? {} : { reward }),
      ...(done === undefined ? {} : { done }),
    })),
  fc.record({ type: fc.constant('result' as const), request: word32 }),
  fc.record({
    type: fc.constant('error' as const),
    request: fc.nat(),
    body: fc.record(
      { code: name, message: text, to: fc.record({ url: name, seat: name }, { requiredKeys: ['url'] }) },
      { requiredKeys: ['code', 'message'] },
    ),
  }),
  fc.record({ type: fc.constant('state' as const), request: fc.nat(), body: snapshot }),
  fc.record({ type: fc.constant('pong' as const), echoMs: ms }),
  fc.record({ type: fc.constant('waiting' as const), position: fc.integer({ min: 1, max: 0xffff }) }),
  fc.record({
    type: fc.constant('workers' as const),
    body: fc.record({ urls: fc.array(name, { maxLength: 8 }) }),
  }),
)

export const hex = (text: string) =>
  Uint8Array.from(text.match(/\S+/g) ?? [], (byte) => Number.parseInt(byte, 16))
