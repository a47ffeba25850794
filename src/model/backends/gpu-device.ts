import { WebGpuUnavailableError } from '../errors'

export interface GpuDevice {
  readonly device: GPUDevice
  /** A software adapter: right, but far slower than WASM. */
  readonly isFallback: boolean
  /** Buffers made on the device and not destroyed, those of ONNX Runtime included. */
  liveBuffers(): number
}

/** A browser that asks its GPU process takes a second at most. */
const ANSWER_MS = 8000

interface OlderAdapter {
  readonly info?: { readonly isFallbackAdapter?: boolean }
  readonly isFallbackAdapter?: boolean
}

// What ONNX Runtime asks for when it makes a device itself.
const LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupSizeY',
  'maxComputeWorkgroupSizeZ',
  'maxComputeWorkgroupsPerDimension',
  'maxStorageBuffersPerShaderStage',
] as const

/** A real GPU's adapter, or a software one where `allowFallback`. Throws `WebGpuUnavailableError`. */
export async function openGpuDevice(allowFallback: boolean): Promise<GpuDevice> {
  if (!globalThis.navigator?.gpu) throw new WebGpuUnavailableError('this browser has no WebGPU')
  const adapter = await inTime(
    navigator.gpu.requestAdapter({ powerPreference: 'high-performance' }),
    'asked for a graphics adapter',
  )
  if (!adapter) throw new WebGpuUnavailableError('the browser found no graphics adapter')
  // Older browsers say it of the adapter itself, and the first ones have no `info` at all.
  const { info, isFallbackAdapter } = adapter as OlderAdapter
  const isFallback = info?.isFallbackAdapter ?? isFallbackAdapter ?? false
  if (isFallback && !allowFallback) {
    throw new WebGpuUnavailableError('the only graphics adapter is a software one, which is slow')
  }
  const features: GPUFeatureName[] = ['shader-f16', 'subgroups']
  const requiredFeatures = features.filter((feature) => {
    // With the 4-wide subgroups of software adapters ONNX Runtime computes wrong numbers.
    if (feature === 'subgroups' && isFallback) return false
    return adapter.features.has(feature)
  })
  const requiredLimits = Object.fromEntries(LIMITS.map((limit) => [limit, adapter.limits[limit]]))
  try {
    const device = await inTime(
      adapter.requestDevice({ requiredFeatures, requiredLimits }),
      'asked for a graphics device',
    )
    return { device, isFallback, liveBuffers: countBuffers(device) }
  } catch (cause) {
    if (cause instanceof WebGpuUnavailableError) throw cause
    throw new WebGpuUnavailableError('the graphics adapter gave no device', { cause })
  }
}

/** What a driver that hangs never answers: so that another way of computing is taken meanwhile. */
async function inTime<T>(answer: Promise<T>, asked: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_, reject) => {
    const error = new WebGpuUnavailableError(
      `the browser did not answer within ${ANSWER_MS / 1000} s when it was ${asked}`,
    )
    timer = setTimeout(reject, ANSWER_MS, error)
  })
  try {
    return await Promise.race([answer, late])
  } finally {
    clearTimeout(timer)
  }
}

/** Counts from now on. Buffers are made at load and kept, so this costs nothing in play. */
function countBuffers(device: GPUDevice): () => number {
  let live = 0
  const create = device.createBuffer.bind(device)
  device.createBuffer = (descriptor) => {
    const buffer = create(descriptor)
    const destroy = buffer.destroy.bind(buffer)
    let alive = true
    live++
    buffer.destroy = () => {
      if (alive) live--
      alive = false
      destroy()
    }
    return buffer
  }
  return () => live
}
