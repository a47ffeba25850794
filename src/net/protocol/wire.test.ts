import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { WireMalformedError, WireVersionError } from './errors'
import type { ClientMessage, FrameMessage } from './messages'
import { clientMessages, hex, serverMessages } from './testing'
import {
  clientType,
  decodeClient,
  decodeServer,
  encodeClient,
  encodeServer,
  LAYOUT,
  MAX_MESSAGE_BYTES,
} from './wire'

describe('round trip', () => {
  test('whatever a client says arrives as it was said', () => {
    fc.assert(
      fc.property(clientMessages, (message) => {
        expect(decodeClient(encodeClient(message))).toEqual(message)
      }),
      { numRuns: 500 },
    )
  })

  test('whatever a server says arrives as it was said', () => {
    fc.assert(
      fc.property(serverMessages, (message) => {
        expect(decodeServer(encodeServer(message))).toEqual(message)
      }),
      { numRuns: 500 },
    )
  })

  test('a message is read wherever it lies in a larger buffer', () => {
    const bytes = encodeClient({ type: 'reset', request: 7, body: { seed: 3 } })
    const larger = new Uint8Array(bytes.length + 20)
    larger.set(bytes, 11)
    expect(decodeClient(larger.subarray(11, 11 + bytes.length))).toMatchObject({ body: { seed: 3 } })
  })
})

describe('bytes, written out', () => {
  test('an action: number, code, sequence, the client clock', () => {
    const bytes = encodeClient({
      type: 'action',
      code: 2,
      sequence: 0x01020304,
      sentAtMs: 1,
    })
    expect(bytes).toEqual(hex('03 02 00 00 00 04 03 02 01 00 00 00 00 00 00 f0 3f'))
  })

  test('an ack: number, sequence', () => {
    expect(encodeClient({ type: 'ack', sequence: 258 })).toEqual(hex('08 02 01 00 00'))
  })

  test('workers: number, then msgpack', () => {
    const body = { urls: ['ws://b'] }
    expect(encodeServer({ type: 'workers', body })).toEqual(
      hex('88 de 00 01 a4 75 72 6c 73 91 a6 77 73 3a 2f 2f 62'),
    )
  })

  test('heard: number, request, tick', () => {
    const heard = { type: 'heard', request: 258, tick: 7 } as const
    expect(encodeServer(heard)).toEqual(hex('89 02 01 00 00 07 00 00 00'))
    expect(decodeServer(encodeServer(heard))).toEqual(heard)
  })

  test('a frame: 52 bytes, then its payload', () => {
    const frame: FrameMessage = {
      type: 'frame',
      request: 1,
      epoch: 2,
      sequence: 3,
      tick: 4,
      skipped: 5,
      echoMs: 1,
      timings: { queue: 0.5, student: 1, encode: 2 },
      batch: 6,
      done: true,
      format: 'webp',
      payload: hex('aa bb'),
    }
    expect(encodeServer(frame)).toEqual(
      hex(`
        82 06 01 06
        01 00 00 00  02 00 00 00  03 00 00 00  04 00 00 00  05 00 00 00
        00 00 00 00 00 00 f0 3f
        00 00 00 3f  00 00 80 3f  00 00 00 40  00 00 00 00
        02 00 00 00  aa bb
      `),
    )
  })
})

describe('what is malformed is refused by name', () => {
  it.each([
    ['nothing', '', /it is empty/],
    ['an unknown number', '63', /no message of this direction has number 99/],
    ["a server's message", '86 00 00 00 00 00 00 00 00', /number 134/],
    ['a short action', '03 02 04 03', /ends after 4 bytes/],
    ['a long ack', '08 02 01 00 00 00', /at most 5 are allowed/],
    ['a time that is not a number', '09 00 00 00 00 00 00 f8 7f', /a number is NaN/],
    ['request 0', '06 00 00 00 00', /numbered from 1 on/],
    ['an unknown mode', '0a 01 00 00 00 02', /there is no mode 2/],
    ['a body that is no msgpack', '02 01 00 00 00 c1 c1', /body/],
    ['a body cut short', '02 01 00 00 00 81 a4 73', /body is not msgpack/],
    ['a body without its field', '02 01 00 00 00 80', /seed/],
    ['a seed that is text', '02 01 00 00 00 81 a4 73 65 65 64 a1 78', /seed/],
    ['a negative seed', '02 01 00 00 00 81 a4 73 65 65 64 ff', /seed/],
    ['a hello without a body', '01 05', /body/],
    ['a list that promises four billion items', '02 01 00 00 00 dd ff ff ff ff 01', /body/],
    ['a map that promises four billion', '02 01 00 00 00 df ff ff ff ff a1 78 01', /body/],
    ['floats that are not whole', '05 01 00 00 00 81 a4 74 65 78 74 c7 05 74 08 00 00 00 00', /not msgpack/],
  ])('%s', (_what, bytes, sentence) => {
    expect(() => decodeClient(hex(bytes))).toThrow(WireMalformedError)
    expect(() => decodeClient(hex(bytes))).toThrow(sentence)
  })

  test('a body nested without end', () => {
    const bytes = new Uint8Array(30_000).fill(0x91)
    bytes.set(hex('02 01 00 00 00'))
    expect(() => decodeClient(bytes)).toThrow(WireMalformedError)
  })

  test('a body of too many values, in either direction', () => {
    const list = hex('dc 01 00')
    for (const [decode, head] of [
      [decodeClient, '07 01 00 00 00'],
      [decodeServer, '85 01 00 00 00'],
    ] as const) {
      const bytes = Uint8Array.of(...hex(head), ...list, ...Array(256).fill(1))
      expect(() => decode(bytes)).toThrow(WireMalformedError)
      expect(() => decode(bytes)).toThrow(/more than 256 keys, values and elements/)
    }
  })

  test('another version is told apart from what is malformed', () => {
    expect(() => decodeClient(hex('01 01 80'))).toThrow(WireVersionError)
    expect(() => decodeServer(hex('81 00 80'))).toThrow(/version 5 .* version 0/)
  })

  test('a frame whose payload is not as long as it says', () => {
    const bytes = encodeServer(frameOf(10))
    expect(() => decodeServer(bytes.subarray(0, bytes.length - 1))).toThrow(/10 bytes of payload, but has 9/)
  })

  test('what is too large is not even sent', () => {
    const state = { latents: new Float32Array(MAX_MESSAGE_BYTES / 4) }
    const message: ClientMessage = {
      type: 'restore',
      request: 1,
      body: {
        format: 'oneiro-snapshot',
        version: 2,
        ...{ world: 'w', modelHash: 'h', tick: 0, seed: 0, state },
        prompt: { text: '', embedding: null },
      },
    }
    expect(() => encodeClient(message)).toThrow(/at most 1048576 are allowed/)
    expect(() => encodeServer(frameOf(65536))).toThrow(/at most 65536/)
    const crowd = Object.fromEntries(Array.from({ length: 128 }, (_, i) => [`a${i}`, new Float32Array(1)]))
    const crowded = { ...message, body: { ...message.body, state: crowd } }
    expect(() => encodeClient(crowded)).toThrow(/more than 256 keys, values and elements/)
  })
})

test('a reason that quotes what came stays short enough to be sent back', () => {
  const state = { ['x'.repeat(100_000)]: new Float32Array(1) }
  const body = { format: 'oneiro-snapshot', version: 2, world: 'w', modelHash: 'h', tick: 0, seed: 0, state }
  const prompt = { text: '', embedding: null }
  const bytes = encodeClient({ type: 'restore', request: 1, body: { ...body, prompt } } as ClientMessage)
  expect(() => decodeClient(bytes)).toThrow(WireMalformedError)
  try {
    decodeClient(bytes)
  } catch (error) {
    expect((error as Error).message.length).toBeLessThan(500)
  }
})

test('what a message is can be known before it is read', () => {
  expect(clientType(hex('02 00'))).toBe('reset')
  expect(() => clientType(hex('81'))).toThrow(WireMalformedError)
  expect(() => clientType(hex('0b 00'))).toThrow(/at most 1 are allowed/)
})

describe('mutated messages', () => {
  const anyMessage = fc.oneof(clientMessages.map(encodeClient), serverMessages.map(encodeServer))
  const mutation = fc.record({
    bytes: anyMessage,
    flips: fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), { maxLength: 6 }),
    cut: fc.option(fc.nat()),
    tail: fc.uint8Array({ maxLength: 4 }),
  })

  /** Runs the decoder, and says what it threw if that was not one of the wire's own errors. */
  function stray(decode: (bytes: Uint8Array) => unknown, bytes: Uint8Array): unknown {
    try {
      decode(bytes)
    } catch (error) {
      if (!(error instanceof WireMalformedError || error instanceof WireVersionError)) return error
    }
    return null
  }

  test('10,000 of them crash neither end', () => {
    fc.assert(
      fc.property(mutation, ({ bytes, flips, cut, tail }) => {
        const mutated = Uint8Array.from([
          ...bytes.subarray(0, cut === null ? undefined : cut % (bytes.length + 1)),
          ...tail,
        ])
        for (const [at, mask] of flips) if (mutated.length > 0) mutated[at % mutated.length]! ^= mask
        expect(stray(decodeClient, mutated)).toBeNull()
        expect(stray(decodeServer, mutated)).toBeNull()
      }),
      { numRuns: 10_000 },
    )
  }, 300_000)

  test('nor do bytes out of nowhere', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 64 }),
        fc.constantFrom(1, 2, 5, 7, 129, 132, 133, 136),
        (rest, number) => {
          const bytes = Uint8Array.of(number, 1, 0, 0, 0, ...rest)
          expect(stray(number < 128 ? decodeClient : decodeServer, bytes)).toBeNull()
        },
      ),
      { numRuns: 10_000 },
    )
  }, 300_000)
})

test('numbers and sizes are pinned, as other builds rely on them', () => {
  expect(
    Object.entries(LAYOUT).map(([name, { number, most }]) => `${number} ${name} ${most}`),
  ).toMatchInlineSnapshot(`
    [
      "1 hello 1024",
      "2 reset 32768",
      "3 action 17",
      "4 step 17",
      "5 prompt 32768",
      "6 snapshot 5",
      "7 restore 1048576",
      "8 ack 5",
      "9 heartbeat 9",
      "10 mode 6",
      "11 bye 1",
      "129 welcome 16384",
      "130 frame 65536",
      "131 result 5",
      "132 error 8192",
      "133 state 1048576",
      "134 pong 9",
      "135 waiting 3",
      "136 workers 2048",
      "137 heard 9",
    ]
  `)
})

function frameOf(payload: number): FrameMessage {
  return {
    type: 'frame',
    ...{ request: 0, epoch: 1, sequence: 1, tick: 1, skipped: 0, echoMs: 0, batch: 1 },
    timings: { queue: 0, student: 0, encode: 0 },
    format: 'latents',
    payload: new Uint8Array(payload),
  }
}
