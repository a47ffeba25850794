import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import * as ort from 'onnxruntime-node'
import { afterAll, describe, expect, it } from 'vitest'
import { type AssetCache, type AssetSource, NO_CACHE } from '../assets/assets'
import { promptKey } from '../assets/manifest'
import { loadWorldFiles } from '../assets/world-files'
import { AssetUnreachableError } from '../errors'
import { folderOnDisk } from '../node'
import type { Notice } from '../notices'
import { createPromptEncoder, type PromptEncoder, type PromptEncoderOptions, type PromptOrt } from './index'
import { openPromptEncoderNode } from './node'
import golden from './prompt.golden.json'
import { createPromptTokenizer } from './tokenizer'

const folder = new URL('../../../assets/prompt-encoder/', import.meta.url)
const readBytes: AssetSource['read'] = async (path) => readFile(new URL(path, folder))
const long = 'it rains cats and dogs and the road is gone '.repeat(12)

function create(options: Partial<PromptEncoderOptions> = {}): PromptEncoder {
  return createPromptEncoder({ ort, source: from(readBytes), ...options })
}

function from(read: AssetSource['read']): AssetSource {
  return { where: 'the test', read }
}

function furthest(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Math.max(...Array.from(a, (value, index) => Math.abs(value - b[index]!)))
}

describe('tokenizer', async () => {
  const json = JSON.parse(await readFile(new URL('tokenizer.json', folder), 'utf8'))
  const tokenizer = createPromptTokenizer(json, 64)

  it.each(golden.cases)('gives the token ids of Python for $text', ({ text, ids }) => {
    expect(tokenizer.tokenize(text).ids).toEqual(ids)
  })

  it('cuts a long prompt to 64 tokens and counts the rest', () => {
    const { ids, dropped } = tokenizer.tokenize(long)
    expect([ids.length, ids[0], ids.at(-1), dropped]).toEqual([64, 101, 102, 58])
  })
})

describe('encoder', () => {
  const notices: Notice[] = []
  const encoder = create({ onNotice: (notice) => notices.push(notice) })
  afterAll(() => encoder.dispose())

  it('was made with the golden vectors', async () => {
    const manifest = JSON.parse(await readFile(new URL('encoder.json', folder), 'utf8'))
    expect(manifest.files.model.sha256).toBe(golden.modelSha256)
  })

  it.each(golden.cases)('gives the embedding of Python for $text', async ({ text, embedding }) => {
    const got = await encoder.encode(text)
    expect(got).toBeInstanceOf(Float32Array)
    expect(furthest(got, embedding)).toBeLessThan(1e-5)
  })

  it('says so when it cuts a long prompt', () => {
    expect(notices).toEqual([
      { code: 'PROMPT_CUT', message: expect.stringContaining('(122 tokens, of which 64 are read)') },
    ])
  })

  it('answers overlapping calls, each with its own', async () => {
    const cases = golden.cases.slice(0, 4)
    const all = await Promise.all(cases.map(({ text }) => encoder.encode(text)))
    all.forEach((got, index) => {
      expect(furthest(got, cases[index]!.embedding)).toBeLessThan(1e-5)
    })
  })

  it.each(['', '  \n\t', '\u200b'])('refuses the empty prompt %j', async (text) => {
    await expect(encoder.encode(text)).rejects.toMatchObject({
      code: 'BAD_INPUT',
      message: expect.stringContaining('at least one word'),
    })
  })
})

describe('encoder on WASM', () => {
  it('gives the embeddings of Python', async () => {
    const web = await import('onnxruntime-web/wasm')
    web.env.wasm.numThreads = 1
    const encoder = create({ ort: web })
    for (const { text, embedding } of golden.cases) {
      expect(furthest(await encoder.encode(text), embedding)).toBeLessThan(1e-5)
    }
    await encoder.dispose()
  })
})

describe('encoder for a world with a prompt classifier', async () => {
  const drive = fileURLToPath(new URL('../../../assets/drive/', import.meta.url))
  const { manifest, shape, knownPrompts } = await loadWorldFiles({
    source: folderOnDisk(drive),
    cache: NO_CACHE,
  })
  const notices: Notice[] = []
  const onNotice = (notice: Notice) => notices.push(notice)
  const encoder = openPromptEncoderNode({ folder: fileURLToPath(folder), world: drive, onNotice })
  /** An ONNX Runtime that says how large each run's input was. */
  function measuring() {
    const runs: (readonly number[])[] = []
    const create = async (...args: Parameters<typeof ort.InferenceSession.create>) => {
      const session = await ort.InferenceSession.create(...args)
      const run = session.run.bind(session)
      session.run = ((feeds: Record<string, ort.Tensor>) => {
        if (feeds.input_ids) runs.push(feeds.input_ids.dims)
        return run(feeds)
      }) as typeof session.run
      return session
    }
    const measured = { ...ort, InferenceSession: { create } } as unknown as PromptOrt
    return { runs, measured }
  }

  const { runs, measured } = measuring()
  const bounded = create({ ort: measured, world: { source: folderOnDisk(drive), cache: NO_CACHE } })
  afterAll(async () => {
    await encoder.dispose()
    await bounded.dispose()
  })

  it('reads presets and captions as Python does', async () => {
    expect(shape.readsWords).toBe(true)
    const texts = [...manifest.presets.map(({ text }) => text), manifest.starts[0]!.caption]
    for (const text of texts) {
      const labels = await encoder.encode(text)
      expect(labels).toHaveLength(shape.promptDim)
      expect(furthest(labels, knownPrompts.get(promptKey(text))!)).toBeLessThan(1e-3)
    }
  })

  it('finds what is said in words of its own, and nothing of what is not', async () => {
    const [snow, night, clear] = [3, 6 + 3, 11 + 0]
    const all = await encoder.encode('Take me to the snow, at night, under a clear sky')
    for (const choice of [snow, night, clear]) expect(all[choice]).toBeGreaterThan(0.8)
    const [noTime, noWeather] = [6 + 4, 11 + 4]
    const some = await encoder.encode('a desert')
    for (const choice of [2, noTime, noWeather]) expect(some[choice]).toBeGreaterThan(0.8)
  })

  it('reads over what its tokenizer drops, and refuses a prompt of nothing else', async () => {
    const odd = await encoder.encode('snow \u200b')
    expect(furthest(odd, await encoder.encode('snow'))).toBeLessThan(0.05)
    await expect(encoder.encode('\u200b')).rejects.toMatchObject({ code: 'BAD_INPUT' })
  })

  it('says so when it reads only the first words', async () => {
    await encoder.encode(long)
    expect(notices).toEqual([
      { code: 'PROMPT_CUT', message: expect.stringContaining('(120 words, of which 40 are read)') },
    ])
  })

  it.each([
    [
      '40 words of 23 characters that are a token each',
      (word: number) => '\u4e00'.repeat(22) + String.fromCharCode(0x4e10 + word),
    ],
    ['40 long words', (word: number) => `${'antidisestablishmentarianism'.slice(word % 5)}${word}`],
    ['one word without an end', (word: number) => (word === 0 ? 'x'.repeat(1000) : ',')],
  ])('computes no more than so much of %s', async (_what, wordOf) => {
    runs.length = 0
    const text = Array.from({ length: 40 }, (_, word) => wordOf(word)).join(' ')
    const labels = await bounded.encode(text)
    expect(labels.every(Number.isFinite)).toBe(true)
    expect(Math.max(...runs.map(([rows]) => rows!))).toBeLessThanOrEqual(32)
    expect(runs.reduce((sum, [rows, tokens]) => sum + rows! * tokens!, 0)).toBeLessThanOrEqual(190 * 16)
  })

  it('reads the same in several runs as in one: of words of ordinary length nothing is cut', async () => {
    runs.length = 0
    const words =
      'a snowy night drive over the long mountain pass with heavy thunderstorms and fog between tall pine trees while the moon shines on the wet asphalt and a few cars come towards us slowly from the dark tunnel ahead here'
    const labels = await bounded.encode(words)
    expect(runs.length).toBeGreaterThan(1)
    // What one run of all phrases gave.
    expect(furthest([0, 0.94485, 0, 0.05515], labels.slice(0, 4))).toBeLessThan(1e-3)
  })

  it('names the world that is missing', async () => {
    const lost = openPromptEncoderNode({ folder: fileURLToPath(folder), world: 'no-such-world' })
    await expect(lost.encode('rain')).rejects.toMatchObject({
      code: 'PROMPT_ENCODER',
      message: expect.stringMatching(/world\.json is missing: .* at no-such-world/),
    })
  })
})

describe('openPromptEncoderNode', () => {
  it('reads the folder that it is given', async () => {
    const encoder = openPromptEncoderNode({ folder: fileURLToPath(folder) })
    const { text, embedding } = golden.cases[0]!
    expect(furthest(await encoder.encode(text), embedding)).toBeLessThan(1e-5)
    await encoder.dispose()
  })

  it('names the file that is missing', async () => {
    const encoder = openPromptEncoderNode({ folder: 'no-such-folder' })
    await expect(encoder.encode('rain')).rejects.toMatchObject({
      code: 'PROMPT_ENCODER',
      message: expect.stringMatching(/encoder\.json is missing: .* at no-such-folder/),
    })
  })
})

describe('loading', () => {
  it('reads nothing before the first encode, then everything once', async () => {
    const reads: string[] = []
    const progress: number[] = []
    const encoder = create({
      source: from(async (path, onBytes) => {
        reads.push(path)
        const bytes = await readBytes(path)
        onBytes?.(bytes.length)
        return bytes
      }),
      onProgress: ({ loaded, total }) => progress.push(loaded / total),
    })
    await expect(encoder.encode('  ')).rejects.toThrow()
    expect(reads).toEqual([])
    await Promise.all([encoder.encode('rain'), encoder.encode('fog')])
    expect(reads).toEqual(['encoder.json', 'model.onnx', 'tokenizer.json'])
    expect(progress.at(-1)).toBe(1)
    await encoder.dispose()
  })

  it.each([
    ['model.onnx', new Uint8Array(8), 'model.onnx is damaged: it is truncated'],
    ['encoder.json', new TextEncoder().encode('<html>'), 'encoder.json is not JSON'],
    ['encoder.json', new TextEncoder().encode('{"format":"oneiro-world"}'), 'format'],
  ])('refuses a wrong %s in a sentence', async (name, bytes, sentence) => {
    const encoder = create({ source: from(async (path) => (path === name ? bytes : readBytes(path))) })
    await expect(encoder.encode('rain')).rejects.toMatchObject({
      code: 'PROMPT_ENCODER',
      message: expect.stringContaining(sentence),
    })
  })

  it('refuses one flipped bit, and works once the file is whole again', async () => {
    let damaged = true
    const encoder = create({
      source: from(async (path) => {
        const bytes = Uint8Array.from(await readBytes(path))
        if (path === 'model.onnx' && damaged) bytes[1000]! ^= 1
        return bytes
      }),
    })
    await expect(encoder.encode('rain')).rejects.toThrow(/model\.onnx is damaged: it was altered/)
    damaged = false
    expect(await encoder.encode('rain')).toHaveLength(384)
    await encoder.dispose()
  })

  it('says how to remake files that are no model', async () => {
    const junk = new Uint8Array(64)
    const entry = { bytes: 64, sha256: 'f5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a92759fb4b' }
    const manifest = JSON.parse(new TextDecoder().decode(await readBytes('encoder.json')))
    manifest.files = {
      model: { path: 'model.onnx', ...entry },
      tokenizer: { path: 'tokenizer.json', ...entry },
    }
    const bytes = new TextEncoder().encode(JSON.stringify(manifest))
    const encoder = create({ source: from(async (path) => (path === 'encoder.json' ? bytes : junk)) })
    await expect(encoder.encode('rain')).rejects.toThrow(/python -m distill.export.prompt_encoder/)
  })

  it('plays from the kept copy where the source cannot be reached, and says so', async () => {
    const kept = new Map<string, Uint8Array>()
    const cache: AssetCache = {
      get: async (key) => kept.get(key) ?? null,
      put: async (_path, key, bytes) => void kept.set(key, bytes),
      drop: async (key) => void kept.delete(key),
    }
    const away = from(async (path) => {
      throw new AssetUnreachableError(path, 'the network did not answer')
    })
    await expect(create({ source: away, cache }).encode('rain')).rejects.toMatchObject({
      code: 'PROMPT_ENCODER',
      cause: { code: 'ASSET_UNREACHABLE' },
    })
    const online = create({ cache })
    const expected = await online.encode('rain')
    const notices: Notice[] = []
    const offline = create({ source: away, cache, onNotice: (notice) => notices.push(notice) })
    expect(await offline.encode('rain')).toEqual(expected)
    expect(notices.map(({ code }) => code)).toEqual(['OFFLINE'])
    await Promise.all([online.dispose(), offline.dispose()])
  })

  it('refuses calls after dispose, and calls under way', async () => {
    const encoder = create()
    const inFlight = encoder.encode('rain')
    await Promise.all([expect(inFlight).rejects.toThrow(/dispose/), encoder.dispose()])
    await encoder.dispose()
    await expect(encoder.encode('rain')).rejects.toMatchObject({ code: 'PROMPT_ENCODER' })
  })

  it('runs the model only inside the lock that it is given', async () => {
    let inside = 0
    let jobs = 0
    let outside = 0
    const guarded = {
      ...ort,
      InferenceSession: {
        async create(...args: Parameters<typeof ort.InferenceSession.create>) {
          if (inside !== 1) outside++
          return ort.InferenceSession.create(...args)
        },
      },
    } as unknown as PromptOrt
    let last: Promise<unknown> = Promise.resolve()
    const encoder = create({
      ort: guarded,
      runExclusive: <T>(job: () => Promise<T>): Promise<T> => {
        const result = last.then(async () => {
          inside++
          jobs++
          return job().finally(() => inside--)
        })
        last = result.catch(() => {})
        return result
      },
    })
    await Promise.all([encoder.encode('rain'), encoder.encode('fog')])
    await encoder.dispose()
    expect({ jobs, outside }).toEqual({ jobs: 5, outside: 0 }) // create, two runs, their end, release
  })
})
