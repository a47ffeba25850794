import { afterEach, describe, expect, it, vi } from 'vitest'
import { WebGpuUnavailableError } from './errors'
import { openGpuDevice } from './gpu-device'

afterEach(() => vi.unstubAllGlobals())

/** A browser whose adapter says of itself what is given. */
function browser(said: object): void {
  const device = { createBuffer: () => ({}) }
  const adapter = { features: new Set(), limits: {}, requestDevice: async () => device, ...said }
  vi.stubGlobal('navigator', { gpu: { requestAdapter: async () => adapter } })
}

describe('openGpuDevice', () => {
  it.each([
    ['by an adapter of today', { info: { isFallbackAdapter: true } }],
    ['by one of before its info told it', { info: {}, isFallbackAdapter: true }],
    ['by one without info', { isFallbackAdapter: true }],
  ])('refuses a software adapter that is told %s, unless it is allowed', async (_, said) => {
    browser(said)
    await expect(openGpuDevice(false)).rejects.toBeInstanceOf(WebGpuUnavailableError)
    expect((await openGpuDevice(true)).isFallback).toBe(true)
  })

  it.each(['requestAdapter', 'requestDevice'] as const)(
    'gives up on a %s that never answers',
    async (hangs) => {
      vi.useFakeTimers()
      browser(hangs === 'requestDevice' ? { requestDevice: () => new Promise(() => {}) } : {})
      if (hangs === 'requestAdapter') {
        vi.stubGlobal('navigator', { gpu: { requestAdapter: () => new Promise(() => {}) } })
      }
      const opened = openGpuDevice(false).catch((error: Error) => error)
      await vi.advanceTimersByTimeAsync(8000)
      expect(await opened).toBeInstanceOf(WebGpuUnavailableError)
      expect(await opened).toMatchObject({ message: expect.stringMatching(/did not answer within 8 s/) })
      vi.useRealTimers()
    },
  )

  it('takes a real one where the browser tells nothing of it', async () => {
    browser({})
    expect((await openGpuDevice(false)).isFallback).toBe(false)
  })
})
