import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { ffmpeg, Video } from './video'

const folder = mkdtempSync(join(tmpdir(), 'oneiro-video-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const SIZE = { width: 32, height: 16, rate: 20 }
/** All of one brightness, `i` of 10. */
function frame(i: number) {
  const data = new Uint8ClampedArray(SIZE.width * SIZE.height * 4).fill(25 * i)
  for (let a = 3; a < data.length; a += 4) data[a] = 255
  return { width: SIZE.width, height: SIZE.height, data }
}

describe.skipIf(spawnSync(ffmpeg(), ['-version']).status !== 0)('a video (skipped without ffmpeg)', () => {
  it('holds the frames in their order, four times as large', async () => {
    const file = join(folder, 'a.mp4')
    const video = await Video.open(file, SIZE)
    for (let i = 0; i < 10; i++) video.add(frame(i))
    await video.close()
    const args = ['-v', 'error', '-i', file, '-f', 'rawvideo', '-pix_fmt', 'gray', '-']
    const read = execFileSync(ffmpeg(), args)
    expect(read.length).toBe(10 * 16 * SIZE.width * SIZE.height)
    for (let i = 0; i < 10; i++) {
      const mean = read.subarray(i * 8192, (i + 1) * 8192).reduce((sum, value) => sum + value, 0) / 8192
      expect(Math.abs(mean - 25 * i)).toBeLessThan(4)
    }
  })

  it('says in the words of ffmpeg why there is none', async () => {
    const video = await Video.open(join(folder, 'nowhere/a.mp4'), SIZE)
    for (let i = 0; i < 100; i++) video.add(frame(1))
    await expect(video.close()).rejects.toMatchObject({
      code: 'VIDEO_FAILED',
      message: expect.stringContaining('No such file'),
    })
  })
})

it('without ffmpeg there is a sentence', async () => {
  vi.stubEnv('ONEIRO_FFMPEG', join(folder, 'no-ffmpeg'))
  await expect(Video.open(join(folder, 'b.mp4'), SIZE)).rejects.toMatchObject({
    code: 'PROGRAM_MISSING',
    message: expect.stringContaining('apt-get install ffmpeg'),
  })
  vi.unstubAllEnvs()
})
