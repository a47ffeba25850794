import * as ortNode from 'onnxruntime-node'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { NO_CACHE } from '../assets/assets'
import { WebGpuUnavailableError } from '../errors'
import { nodeSession } from '../node'
import { folderInMemory, tinyFiles } from '../testing'
import { Host } from './host'
import type { HostMessage, OpenOptions } from './protocol'

const gpu = vi.hoisted(() => ({ openGpuDevice: vi.fn(), gpuOrt: vi.fn() }))
vi.mock('../backends/gpu-device', () => ({ openGpuDevice: gpu.openGpuDevice }))
vi.mock('../backends/runtimes', () => ({
  gpuOrt: gpu.gpuOrt,
  wasmOrt: async () => ({
    ...ortNode,
    InferenceSession: {
      create: (model: Uint8Array) => ortNode.InferenceSession.create(model, nodeSession(1)),
    },
  }),
}))
// Looked up when they are called: what they lead to imports them itself.
vi.mock('../assets/assets', async (original) => ({
  ...(await original<typeof import('../assets/assets')>()),
  fetchedFolder: () => folderInMemory(tinyFiles()),
}))
vi.mock('../assets/browser-cache', () => ({ browserCache: () => NO_CACHE }))

afterEach(() => vi.resetAllMocks())

async function open(backend: OpenOptions['backend']) {
  const codes: string[] = []
  const tell = (message: HostMessage) => {
    if (message.kind === 'event' && message.event.type === 'notice') codes.push(message.event.code)
  }
  const options = {
    ...{ url: 'https://here/', backend, threads: 1 },
    ...{ promptEncoderUrl: 'https://here/e.json', runtimes: {} },
  }
  const host = await Host.open(options, tell)
  const { info } = host.world
  await host.world.close()
  return { info, codes }
}

describe('with auto, the processor takes over', () => {
  it.each([
    ['there is no GPU', new WebGpuUnavailableError('none'), 'NO_WEBGPU', 'WEBGPU_UNAVAILABLE'],
    ['asking for it breaks', new TypeError('info is undefined'), 'WEBGPU_FAILED', 'BACKEND'],
  ])('where %s', async (_, error, notice, code) => {
    gpu.openGpuDevice.mockRejectedValue(error)
    gpu.gpuOrt.mockResolvedValue({})
    expect(await open('auto')).toMatchObject({ info: { backend: 'wasm' }, codes: [notice] })
    await expect(open('webgpu')).rejects.toMatchObject({ code })
  })

  it('where the code for it does not load', async () => {
    gpu.openGpuDevice.mockResolvedValue({ isFallback: false })
    gpu.gpuOrt.mockRejectedValue(new TypeError('Failed to fetch dynamically imported module'))
    expect(await open('auto')).toMatchObject({ info: { backend: 'wasm' }, codes: ['WEBGPU_FAILED'] })
  })
})
