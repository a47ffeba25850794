import { afterEach, describe, expect, it, vi } from 'vitest'
import { WebGpuUnavailableError } from '../errors'
import { openGpuDevice } from './gpu-device'

afterEach(() => vi.unstubAllGlobals())

/** What an adapter of more than ONNX Runtime asks for may have. */
const LIMITS = {
  maxBufferSize: 2 ** 32,
  maxStorageBufferBindingSize: 2 ** 31,
  maxComputeWorkgroupStorageSize: 32768,
  maxComputeInvocationsPerWorkgroup: 1024,
  maxComputeWorkgroupSizeX: 1024,
  maxComputeWorkgroupSizeY: 512,
  maxComputeWorkgroupSizeZ: 64,
  maxComputeWorkgroupsPerDimension: 65535,
  maxStorageBuffersPerShaderStage: 16,
}

/** A browser whose adapter says of itself what is given. `asked` gets what is asked of it. */
function browser(said: object): { adapter?: object; device?: object } {
  const asked: { adapter?: object; device?: object } = {}
  const adapter = {
    features: new Set(['shader-f16', 'subgroups', 'timestamp-query']),
    limits: { ...LIMITS, maxBindGroups: 8 },
    requestDevice: async (options: object) => {
      asked.device = options
      return { createBuffer: () => ({ destroy() {} }) }
    },
    ...said,
  }
  const requestAdapter = async (options: object) => {
    asked.adapter = options
    return adapter
  }
  vi.stubGlobal('navigator', { gpu: { requestAdapter } })
  return asked
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

  it('asks for the fast adapter, and of it for half precision, subgroups and the limits of ONNX Runtime', async () => {
    const asked = browser({})
    await openGpuDevice(false)
    expect(asked).toEqual({
      adapter: { powerPreference: 'high-performance' },
      device: { requiredFeatures: ['shader-f16', 'subgroups'], requiredLimits: LIMITS },
    })
  })

  it('asks an adapter for no feature that it lacks', async () => {
    const asked = browser({ features: new Set(['subgroups']) })
    await openGpuDevice(false)
    expect(asked.device).toMatchObject({ requiredFeatures: ['subgroups'] })
  })

  it('asks a software adapter for no subgroups', async () => {
    const asked = browser({ info: { isFallbackAdapter: true } })
    await openGpuDevice(true)
    expect(asked.device).toMatchObject({ requiredFeatures: ['shader-f16'] })
  })

  it('says in one kind of error that there is no WebGPU, no adapter or no device', async () => {
    vi.stubGlobal('navigator', {})
    await expect(openGpuDevice(true)).rejects.toThrow(/this browser has no WebGPU/)
    vi.stubGlobal('navigator', { gpu: { requestAdapter: async () => null } })
    await expect(openGpuDevice(true)).rejects.toThrow(/found no graphics adapter/)
    const cause = new TypeError('limit')
    browser({ requestDevice: () => Promise.reject(cause) })
    await expect(openGpuDevice(true)).rejects.toMatchObject({ constructor: WebGpuUnavailableError, cause })
  })

  it('counts the buffers that are alive, each once', async () => {
    browser({})
    const { device, liveBuffers } = await openGpuDevice(false)
    const [first] = [0, 1].map(() => device.createBuffer({ size: 4, usage: 0 }))
    expect(liveBuffers()).toBe(2)
    first!.destroy()
    first!.destroy()
    expect(liveBuffers()).toBe(1)
  })
})
