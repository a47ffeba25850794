import { afterEach, describe, expect, it, vi } from 'vitest'
import { float16 } from '../../engine/float16'
import {
  AssetCorruptError,
  AssetMissingError,
  AssetUnreachableError,
  ManifestInvalidError,
  ManifestVersionError,
} from '../errors'
import type { Notice } from '../notices'
import { folderInMemory, loadTiny, sha256Hex, tinyFiles, withManifest } from '../testing'
import { worldAddress } from './address'
import { type AssetCache, type AssetSource, fetchedFolder, readNewest } from './assets'
import { browserCache } from './browser-cache'
import { readSafetensors } from './safetensors'
import { type LoadProgress, loadWorldFiles } from './world-files'

afterEach(() => vi.unstubAllGlobals())

describe('loading a world', () => {
  it('reads starts, prompts and sizes', async () => {
    const world = await loadTiny()
    expect(world.starts.map(({ id }) => id)).toEqual(['first-light', 'high-noon', 'last-light'])
    expect(world.starts[0]!.latents).toHaveLength(16 * 60 * 32)
    expect(world.starts[0]!.actions).toHaveLength(3 * 2)
    expect([...world.knownPrompts.keys()]).toContain('a snowy night drive')
    expect(world.shape).toMatchObject({ ringLength: 16, latentLength: 1920, noiseCount: 2 })
    const [start] = world.starts
    const length = Math.hypot(...start!.embedding)
    expect(length).toBeCloseTo(1, 5)
  })

  it('tells progress in bytes that grow to the total', async () => {
    const told: LoadProgress[] = []
    const source = folderInMemory(tinyFiles())
    await loadWorldFiles({ source, cache: memoryCache(), onProgress: (p) => told.push(p) })
    const bytes = told.filter(({ phase }) => phase === 'download')
    expect(bytes[0]!.loaded).toBe(0)
    expect(bytes.at(-1)!.loaded).toBe(bytes.at(-1)!.total)
    expect(bytes.map(({ loaded }) => loaded)).toEqual(bytes.map(({ loaded }) => loaded).sort((a, b) => a - b))
  })

  it.each(['world.json', 'student.onnx', 'decoder.onnx', 'starts.safetensors'])(
    'names %s when it is missing',
    async (name) => {
      const files = tinyFiles()
      files.delete(name)
      const error = await loadTiny(files).catch((e) => e)
      expect(error).toBeInstanceOf(AssetMissingError)
      expect(error.message).toContain(name)
    },
  )

  it('tells a truncated file from an altered one', async () => {
    const files = tinyFiles()
    const whole = files.get('student.onnx')!
    files.set('student.onnx', whole.slice(0, -7))
    await expect(loadTiny(files)).rejects.toThrow(/student\.onnx is damaged: it is truncated/)
    const altered = whole.slice()
    altered[5000]! ^= 1
    files.set('student.onnx', altered)
    await expect(loadTiny(files)).rejects.toThrow(/student\.onnx is damaged: it was altered/)
    await expect(loadTiny(files)).rejects.toBeInstanceOf(AssetCorruptError)
  })

  it('says what to do about a manifest of another version', async () => {
    const newer = await loadTiny(withManifest((m) => Object.assign(m, { version: 2 }))).catch((e) => e)
    expect(newer).toBeInstanceOf(ManifestVersionError)
    expect(newer.message).toMatch(/version 2, but this build reads version 1.*newer build/)
    const older = await loadTiny(withManifest((m) => Object.assign(m, { version: 0 }))).catch((e) => e)
    expect(older.message).toMatch(/Export the world again/)
  })

  it.each<[string, (manifest: Record<string, unknown>) => void, RegExp]>([
    ['another format', (m) => Object.assign(m, { format: 'x' }), /"oneiro-world" was expected/],
    ['a field of the wrong type', (m) => Object.assign(m, { ticksPerSecond: '20' }), /ticksPerSecond/],
    ['a missing field', (m) => Reflect.deleteProperty(m, 'latent'), /latent/],
    [
      'offsets out of order',
      (m) => Object.assign(m, { history: { offsets: [1, 3, 2] } }),
      /history\.offsets/,
    ],
    ['a modelHash of other weights', (m) => Object.assign(m, { modelHash: '0'.repeat(64) }), /modelHash/],
    [
      'a path out of its folder',
      (m) => {
        const files = m.files as { student: { path: string } }
        files.student.path = '../../secret.onnx'
      },
      /files\.student\.path/,
    ],
    [
      'more telemetry than fits beside a picture',
      (m) => {
        const reading = { name: 'speed', unit: '', centre: 0, spread: 1 }
        Object.assign(m, { telemetry: Array(59 * 32 + 1).fill(reading) })
      },
      /telemetry: there are 1889/,
    ],
    [
      'a grid without whole rows',
      (m) => Object.assign(m.latent as object, { columns: 7 }),
      /latent\.columns: 59 tokens of picture are no whole rows of 7/,
    ],
    [
      'noise that is not in fours',
      (m) => Object.assign(m, { student: { outerSteps: 1, noise: Array(2).fill({ from: 2, count: 4 }) } }),
      /student\.noise\.0\.from/,
    ],
    [
      'noise beyond a latent',
      (m) => Object.assign(m, { student: { outerSteps: 1, noise: Array(2).fill({ from: 1916, count: 5 }) } }),
      /student\.noise\.1: ends at 1921, but a latent has 1920/,
    ],
    [
      'noise of another number of steps',
      (m) => Object.assign(m, { student: { outerSteps: 1, noise: [{ from: 0, count: 4 }] } }),
      /student\.noise: there are 1, but 2/,
    ],
    [
      'places of the self test that are too few',
      (m) => Object.assign(m.selfTest as object, { latentIndex: [1] }),
      /selfTest\.latentIndex: there are 1, but 8/,
    ],
    [
      'pixels of the self test that are none',
      (m) => Object.assign(m.selfTest as object, { frame: { pixels: 'AAA', tolerance: 2 } }),
      /selfTest\.frame\.pixels: base64 of whole pixels/,
    ],
    [
      'more pixels of the self test than a frame has',
      (m) => Object.assign(m.selfTest as object, { frame: { pixels: 'AAAA'.repeat(15361), tolerance: 2 } }),
      /selfTest\.frame\.pixels: there are more of them than the 15360 of a frame/,
    ],
    [
      'a start whose caption has no embedding',
      (m) => Reflect.deleteProperty((m.starts as object[])[1]!, 'embedding'),
      /starts\.1/,
    ],
  ])('refuses %s', async (_, change, message) => {
    const error = await loadTiny(withManifest(change)).catch((e) => e)
    expect(error).toBeInstanceOf(ManifestInvalidError)
    expect(error.message).toMatch(message)
  })

  it('refuses what is no JSON', async () => {
    const files = tinyFiles().set('world.json', new TextEncoder().encode('<html>'))
    await expect(loadTiny(files)).rejects.toThrow(/not JSON/)
  })

  it('refuses starts that lack rows that the manifest names', async () => {
    const files = withManifest((m) => Object.assign((m.presets as object[])[0]!, { embedding: 99 }))
    await expect(loadTiny(files)).rejects.toThrow(/"promptEmbeddings" is \[6,384\], but row 99/)
  })
})

/** A cache over a map. */
function memoryCache(kept = new Map<string, Uint8Array>()): AssetCache & { kept: Map<string, Uint8Array> } {
  return {
    kept,
    get: async (key) => kept.get(key) ?? null,
    put: async (_, key, bytes) => void kept.set(key, bytes),
    drop: async (key) => void kept.delete(key),
  }
}

describe('the cache', () => {
  const offline = {
    where: 'nowhere',
    read: async (path: string) => {
      throw new AssetUnreachableError(path, 'the network did not answer')
    },
  }

  it('plays offline after a first load, and says so', async () => {
    const cache = memoryCache()
    await loadWorldFiles({ source: folderInMemory(tinyFiles()), cache })
    const notices: Notice[] = []
    const world = await loadWorldFiles({ source: offline, cache, onNotice: (n) => notices.push(n) })
    expect(world.manifest.id).toBe('tiny')
    expect(notices.map(({ code }) => code)).toEqual(['OFFLINE'])
  })

  it('without a first load, offline is an error with advice', async () => {
    const error = await loadWorldFiles({ source: offline, cache: memoryCache() }).catch((e) => e)
    expect(error).toBeInstanceOf(AssetUnreachableError)
    expect(error.message).toMatch(/Check the connection/)
  })

  it('does not trust a kept file that was damaged: it is loaded again', async () => {
    const cache = memoryCache()
    const source = folderInMemory(tinyFiles())
    await loadWorldFiles({ source, cache })
    const key = [...cache.kept.keys()].find((name) => name.includes('student'))!
    cache.kept.set(key, new Uint8Array(5))
    await loadWorldFiles({ source, cache })
    expect(cache.kept.get(key)).toEqual(tinyFiles().get('student.onnx'))
  })

  it('a full browser cache costs one notice, not the game', async () => {
    const full = {
      ...fakeCache(),
      put: async () => Promise.reject(new DOMException('', 'QuotaExceededError')),
    }
    vi.stubGlobal('caches', { open: async () => full })
    const notices: Notice[] = []
    const tell = (notice: Notice) => notices.push(notice)
    const cache = browserCache('https://example.org/tiny/', tell)
    await loadWorldFiles({ source: folderInMemory(tinyFiles()), cache, onNotice: tell })
    expect(notices.map(({ code }) => code)).toEqual(['CACHE_FULL'])
  })

  it('a browser without a cache costs one notice', async () => {
    vi.stubGlobal('caches', undefined)
    const notices: Notice[] = []
    const cache = browserCache('https://example.org/tiny/', (n) => notices.push(n))
    await loadWorldFiles({ source: folderInMemory(tinyFiles()), cache })
    expect(notices.map(({ code }) => code)).toEqual(['CACHE_UNAVAILABLE'])
  })

  it('the browser cache forgets the version before', async () => {
    const fake = fakeCache()
    vi.stubGlobal('caches', { open: async () => fake })
    const cache = browserCache('https://example.org/tiny/', () => {})
    await cache.put('a.onnx', '/a.onnx?sha256=1', Uint8Array.of(1))
    await cache.put('a.onnx', '/a.onnx?sha256=2', Uint8Array.of(2))
    expect(await cache.get('/a.onnx?sha256=1')).toBeNull()
    expect(await cache.get('/a.onnx?sha256=2')).toEqual(Uint8Array.of(2))
  })
})

/** The Cache API's part that is used, over a map. */
function fakeCache() {
  const kept = new Map<string, Response>()
  const bare = (address: string) => address.split('?')[0]
  return {
    match: async (address: string) => kept.get(address)?.clone(),
    put: async (address: string, response: Response) => void kept.set(address, response),
    keys: async (address: string) => [...kept.keys()].filter((key) => bare(key) === bare(address)),
    delete: async (address: string) => kept.delete(address),
  }
}

describe('a folder over HTTP', () => {
  const answer = (body: BodyInit | null, init: ResponseInit = {}) =>
    vi.stubGlobal('fetch', async () => new Response(body, init))
  const folder = fetchedFolder('https://example.org/tiny/')

  it('reads and counts bytes', async () => {
    answer(new Uint8Array([1, 2, 3]))
    const counted: number[] = []
    expect(await folder.read('a.bin', (n) => counted.push(n))).toEqual(Uint8Array.of(1, 2, 3))
    expect(counted.at(-1)).toBe(3)
  })

  it('may hold another manifest, of a world that shares its files', async () => {
    const asked: string[] = []
    vi.stubGlobal('fetch', async (address: string) => {
      asked.push(address)
      return new Response('{}')
    })
    const other = fetchedFolder('https://example.org/tiny/other.json')
    expect([folder.manifest, other.manifest]).toEqual(['world.json', 'other.json'])
    for (const file of [other.manifest!, 'a.onnx']) await other.read(file)
    expect(asked).toEqual(['https://example.org/tiny/other.json', 'https://example.org/tiny/a.onnx'])
    expect(['a/b', 'a/b/', 'a/other.json'].map(worldAddress)).toEqual(['a/b/', 'a/b/', 'a/other.json'])
  })

  it('knows a missing file by 404, and by the HTML page that servers of apps send instead', async () => {
    answer('', { status: 404 })
    await expect(folder.read('a.bin')).rejects.toBeInstanceOf(AssetMissingError)
    answer('<!doctype html>', { headers: { 'content-type': 'text/html; charset=utf-8' } })
    await expect(folder.read('a.bin')).rejects.toBeInstanceOf(AssetMissingError)
  })

  it('asks a busy server again, and gives up in the end', async () => {
    vi.useFakeTimers()
    const busy = () =>
      new Response('<!doctype html>', { status: 503, headers: { 'content-type': 'text/html' } })
    const fetched = vi
      .fn(async () => new Response(new Uint8Array([7])))
      .mockImplementationOnce(async () => busy())
    vi.stubGlobal('fetch', fetched)
    const read = folder.read('a.bin')
    await vi.runAllTimersAsync()
    expect(await read).toEqual(Uint8Array.of(7))
    fetched.mockImplementation(async () => busy())
    const refused = folder.read('a.bin').catch((error: Error) => error)
    await vi.runAllTimersAsync()
    expect(await refused).toMatchObject({ message: expect.stringMatching(/answered 503/) })
    vi.useRealTimers()
  })

  it('waits for a server that does not answer, or stops in the middle, only so long', async () => {
    const silent = (signal: AbortSignal) =>
      new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    vi.stubGlobal('fetch', (_: string, { signal }: RequestInit) => silent(signal!))
    await expect(folder.read('a.bin', undefined, 20)).rejects.toThrow(/network did not answer/)
    vi.stubGlobal('fetch', async (_: string, { signal }: RequestInit) => {
      const body = new ReadableStream({
        start(stream) {
          stream.enqueue(Uint8Array.of(1))
          signal!.addEventListener('abort', () => stream.error(signal!.reason))
        },
      })
      return new Response(body)
    })
    await expect(folder.read('a.bin', undefined, 20)).rejects.toThrow(/connection broke off/)
  })

  it('tells a broken network from a missing file', async () => {
    vi.stubGlobal('fetch', async () => Promise.reject(new TypeError('failed')))
    await expect(folder.read('a.bin')).rejects.toBeInstanceOf(AssetUnreachableError)
  })
})

describe('a file whose newest version counts', () => {
  const parse = (bytes: Uint8Array) => bytes[0]!
  const onNotice = vi.fn()
  function setup(copy: number | null) {
    const kept = new Map<string, Uint8Array>(copy === null ? [] : [['world.json', Uint8Array.of(copy)]])
    const cache: AssetCache = {
      get: async (key) => kept.get(key) ?? null,
      put: async (_, key, bytes) => void kept.set(key, bytes),
      drop: async () => {},
    }
    return { cache, kept }
  }

  it('is the copy of the last visit where the server says nothing for some seconds', async () => {
    const { cache } = setup(3)
    const patience: (number | undefined)[] = []
    const source: AssetSource = {
      where: 'there',
      async read(path, _, patienceMs) {
        patience.push(patienceMs)
        throw new AssetUnreachableError(path, 'the network did not answer')
      },
    }
    expect(await readNewest('world.json', { source, cache, onNotice }, parse)).toBe(3)
    expect(onNotice).toHaveBeenCalledWith(expect.objectContaining({ code: 'OFFLINE' }))
    await expect(
      readNewest('world.json', { source, cache: setup(null).cache, onNotice }, parse),
    ).rejects.toBeInstanceOf(AssetUnreachableError)
    expect(patience).toEqual([4000, 30_000])
  })

  it('is kept for the next visit, unless it is no such file', async () => {
    const { cache, kept } = setup(3)
    const source: AssetSource = { where: 'there', read: async () => Uint8Array.of(5) }
    const refuse = () => {
      throw new Error('no manifest')
    }
    await expect(readNewest('world.json', { source, cache, onNotice }, refuse)).rejects.toThrow('no manifest')
    expect(kept.get('world.json')).toEqual(Uint8Array.of(3))
    expect(await readNewest('world.json', { source, cache, onNotice }, parse)).toBe(5)
    expect(kept.get('world.json')).toEqual(Uint8Array.of(5))
  })
})

describe('safetensors', () => {
  it.each([
    [0x0000, 0],
    [0x8001, -(2 ** -24)],
    [0x03ff, 1023 * 2 ** -24],
    [0x3c00, 1],
    [0xc100, -2.5],
    [0x7bff, 65504],
    [0x7c00, Number.POSITIVE_INFINITY],
    [0x7e00, Number.NaN],
  ])('float16 %i is %d', (bits, value) => expect(float16(bits)).toBe(value))

  it('refuses a header longer than the file and dtypes it does not read', () => {
    const bytes = tinyFiles().get('starts.safetensors')!
    expect(() => readSafetensors(bytes.subarray(0, 40), 'a')).toThrow(/the file ends before/)
    expect(() => readSafetensors(bytes.subarray(0, 4000), 'a')).toThrow(AssetCorruptError)
    expect(() => readSafetensors(new Uint8Array(3), 'a')).toThrow(/no header/)
    const text = JSON.stringify({ x: { dtype: 'I64', shape: [1], data_offsets: [0, 8] } })
    const file = new Uint8Array(8 + text.length + 8)
    new DataView(file.buffer).setBigUint64(0, BigInt(text.length), true)
    file.set(new TextEncoder().encode(text), 8)
    expect(() => readSafetensors(file, 'a')).toThrow(/"x" is I64/)
  })
})

it('the fixture says of itself what it is', () => {
  const files = tinyFiles()
  const manifest = JSON.parse(new TextDecoder().decode(files.get('world.json')))
  for (const { path, bytes, sha256 } of Object.values<{ path: string; bytes: number; sha256: string }>(
    manifest.files,
  )) {
    expect([files.get(path)!.length, sha256Hex(files.get(path)!)]).toEqual([bytes, sha256])
  }
})
