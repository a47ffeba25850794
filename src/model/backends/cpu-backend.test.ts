import { describe, expect, it } from 'vitest'
import { selfTest } from '../dream/self-test'
import { BackendError, BackendReleasedError, fromWire, SelfTestError, toWire } from '../errors'
import { openDreamNode } from '../node'
import { loadTiny, TINY, tinyBackend, tinyFiles } from '../testing'
import { pixelsOf } from './pixels'

describe('the backend in Node', () => {
  it('passes the self test that Python wrote, and fails a wrong one', async () => {
    const files = await loadTiny()
    const backend = await tinyBackend(files)
    await selfTest(backend, files)
    const sample = files.manifest.selfTest.latentSample
    for (const wrong of [sample[3]! + 0.01, Number.NaN]) {
      const latentSample = sample.map((value, i) => (i === 3 ? wrong : value))
      const manifest = { ...files.manifest, selfTest: { ...files.manifest.selfTest, latentSample } }
      await expect(selfTest(backend, { ...files, manifest })).rejects.toBeInstanceOf(SelfTestError)
    }
    await backend.dispose()
  })

  it('refuses every call after dispose by name; dispose is idempotent', async () => {
    const files = await loadTiny()
    const backend = await tinyBackend(files)
    await backend.begin(files.starts[0]!.latents)
    await backend.dispose()
    await backend.dispose()
    const input = {
      actions: new Float32Array(8),
      prompt: new Float32Array(384),
      noise: new Float32Array(3840),
    }
    for (const call of [
      () => backend.begin(files.starts[0]!.latents),
      () => backend.step(input),
      () => backend.readLatent(),
      () => backend.readLatents(),
      () => backend.readFrame(),
    ]) {
      await expect(call()).rejects.toBeInstanceOf(BackendReleasedError)
    }
    expect(backend.counts()).toEqual({ tensors: 0, gpuBuffers: 0 })
  })

  it('says which graph is none', async () => {
    const files = { ...(await loadTiny()), decoder: Uint8Array.of(1, 2, 3) }
    await expect(tinyBackend(files)).rejects.toThrow(
      /node-cpu backend failed while making the decoder's session/,
    )
    const swapped = { ...(await loadTiny()), decoder: tinyFiles().get('student.onnx')! }
    const backend = await tinyBackend(swapped)
    await expect(backend.begin(swapped.starts[0]!.latents)).rejects.toBeInstanceOf(BackendError)
    await backend.dispose()
  })

  it('opens from a folder, and names the file where the folder is none', async () => {
    await expect(openDreamNode(`${TINY}nowhere`)).rejects.toThrow(/world\.json is missing/)
    const dream = await openDreamNode(TINY, { threads: 1 })
    expect(dream.info).toMatchObject({
      id: 'tiny',
      kind: 'dream',
      backend: 'node-cpu',
      width: 160,
      height: 96,
    })
    await dream.close()
  })
})

describe('pixels', () => {
  it('are floor(clamp(x) * 255 + 0.5)', () => {
    const floats = [0, 1, 0.5, -3, 7, 0.0019, 0.002, 254.4 / 255]
    const expected = floats.map((x) => Math.floor(Math.min(1, Math.max(0, x)) * 255 + 0.5))
    expect([...pixelsOf(Float32Array.from(floats), 2, 1).data]).toEqual(expected)
  })
})

describe('errors over the wire', () => {
  it('keep class, code and sentence', () => {
    const error = fromWire(toWire(new SelfTestError('webgpu', 0.5, 0.001)))
    expect(error).toBeInstanceOf(SelfTestError)
    expect(error).toMatchObject({ code: 'SELF_TEST', name: 'SelfTestError' })
    expect(error.message).toContain('webgpu')
    expect(toWire(new TypeError('x'))).toEqual({ code: 'UNEXPECTED', message: 'x' })
  })
})
