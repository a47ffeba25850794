import { afterEach, describe, expect, it, vi } from 'vitest'
import { browserCache } from './browser-cache'

afterEach(() => vi.unstubAllGlobals())

/** A Cache API with one cache. */
function stubCaches(match: (address: string) => Promise<Response | undefined>) {
  const deleted: string[] = []
  const cache = { match, delete: async (address: string) => deleted.push(address) > 0 }
  vi.stubGlobal('caches', { open: async () => cache })
  return deleted
}

describe('browserCache', () => {
  it('gives what it keeps', async () => {
    stubCaches(async () => new Response(Uint8Array.of(1, 2)))
    const told: string[] = []
    const cache = browserCache('https://oneiro.test/drive/', ({ code }) => told.push(code))
    expect(await cache.get('student.onnx?v=1')).toEqual(Uint8Array.of(1, 2))
    expect(told).toEqual([])
  })

  it('throws away what cannot be read, and lets it be fetched anew', async () => {
    const broken = { arrayBuffer: () => Promise.reject(new DOMException('gone', 'NotReadableError')) }
    const deleted = stubCaches(async () => broken as unknown as Response)
    const told: string[] = []
    const cache = browserCache('https://oneiro.test/drive/', ({ code }) => told.push(code))
    expect(await cache.get('student.onnx?v=1')).toBeNull()
    expect(deleted).toEqual(['https://oneiro.test/drive/student.onnx?v=1'])
    expect(told).toEqual(['CACHE_UNAVAILABLE'])
  })

  it('is empty where there is none', async () => {
    const cache = browserCache('https://oneiro.test/drive/', () => {})
    expect(await cache.get('student.onnx')).toBeNull()
    await cache.drop('student.onnx')
  })
})
