import { fileURLToPath } from 'node:url'
import * as ort from 'onnxruntime-node'
import { describe, expect, it, vi } from 'vitest'
import { TaskQueue } from '../../engine/task-queue'
import { NO_CACHE } from '../assets/assets'
import { loadWorldFiles, type WorldFiles } from '../assets/world-files'
import type { Backend } from '../backends/backend'
import { openCpuBackend } from '../backends/cpu-backend'
import { SelfTestError } from '../errors'
import { folderOnDisk, nodeSession } from '../node'
import { loadTiny } from '../testing'
import { selfTest, timeTicks } from './self-test'

/** Where the pixel [x,y] of a frame of `width` x `height` is taken from. */
type Garble = (x: number, y: number, width: number, height: number) => readonly [x: number, y: number]

/** As a graph does that lost its last transposition: the pixels of each patch lie one behind the other. */
const untransposed =
  (patch: number): Garble =>
  (x, y, width) => {
    const place = y * width + x
    const cell = Math.floor(place / patch ** 2)
    const within = place % patch ** 2
    const cells = width / patch
    return [
      (cell % cells) * patch + (within % patch),
      Math.floor(cell / cells) * patch + Math.floor(within / patch),
    ]
  }

/** The backend, whose frames are garbled from the `from`-th on that is read. */
function garbled(backend: Backend, garble: Garble, from = 1): Backend {
  let read = 0
  const own = Object.create(backend) as Backend
  own.readFrame = async () => {
    const frame = await backend.readFrame.call(own)
    if (++read < from) return frame
    const { width, height } = frame
    const data = frame.data.map((_, i) => {
      const pixel = i >> 2
      const [x, y] = garble(pixel % width, Math.floor(pixel / width), width, height)
      return frame.data[4 * (y * width + x) + (i & 3)]!
    })
    return { width, height, data }
  }
  return own
}

describe.each([
  ['drive', 'assets/drive/', 4],
  ['tiny', 'e2e/fixtures/tiny/', 16],
  ['buttons', 'contract/buttons/', 16],
])('the self-test of "%s"', async (_, folder, patch) => {
  const path = fileURLToPath(new URL(`../../../${folder}`, import.meta.url))
  const files = await loadWorldFiles({ source: folderOnDisk(path), cache: NO_CACHE })
  const name = 'node-cpu'
  const open = () => openCpuBackend({ ort, name, files, session: nodeSession(1), runs: new TaskQueue() })

  it('passes a right picture and refuses a garbled one, in a sentence', async () => {
    const backend = await open()
    await selfTest(backend, files)
    const garbles: Garble[] = [
      untransposed(patch),
      (x, y, width) => [width - 1 - x, y],
      (x, y, _, height) => [x, height - 1 - y],
      (x, y, width) => [(x + 1) % width, y],
      () => [0, 0],
    ]
    for (const garble of garbles) {
      await expect(selfTest(garbled(backend, garble), files)).rejects.toBeInstanceOf(SelfTestError)
    }
    await expect(selfTest(garbled(backend, untransposed(patch)), files)).rejects.toThrow(
      /node-cpu backend draws a wrong picture here: its first frame is off by \d+\.?\d* levels of 255 on average, but at most 2 is right\. Choose another backend\./,
    )
    await backend.dispose()
  })

  it('sees a picture that is garbled in a replay only', async () => {
    const backend = await open()
    await expect(selfTest(garbled(backend, untransposed(patch), 2), files)).rejects.toThrow(/wrong picture/)
    await backend.dispose()
  })

  it('asks for no picture where the world was exported before there were any', async () => {
    const { frame, ...numbers } = files.manifest.selfTest
    expect(frame).toBeDefined()
    const old: WorldFiles = { ...files, manifest: { ...files.manifest, selfTest: numbers } }
    const backend = await open()
    await selfTest(garbled(backend, untransposed(patch)), old)
    await backend.dispose()
  })
})

it('a tick takes what the middle one of some takes, as numbers and not as texts', async () => {
  const files = await loadTiny()
  const took = [9, 100, 20, 8, 30]
  let now = 0
  const step = async () => {
    now += took.shift()!
  }
  vi.spyOn(performance, 'now').mockImplementation(() => now)
  expect(await timeTicks({ step } as unknown as Backend, files, 5)).toBe(20)
  vi.restoreAllMocks()
})
