/** Frames as a video, by the ffmpeg of this machine: what a codec is, and which there are, is its own affair. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { OneiroError, type Pixels } from '../../src/node'

/** Device pixels of a pixel, as small frames would be blurred by players. */
const SCALE = 4

/** The program: that of ONEIRO_FFMPEG, or one on the PATH. */
export const ffmpeg = () => process.env.ONEIRO_FFMPEG || 'ffmpeg'

export interface VideoOptions {
  readonly width: number
  readonly height: number
  /** Frames a second. */
  readonly rate: number
}

/** A video file that grows by frames. Its name says what kind it is: `.mp4`, `.webm`, `.gif`. */
export class Video {
  private said = ''
  private readonly ended: Promise<number | null>

  private constructor(
    private readonly child: ChildProcessWithoutNullStreams,
    private readonly file: string,
  ) {
    child.stderr.on('data', (data) => {
      this.said = `${this.said}${data}`.slice(-2000)
    })
    // Where it is gone, `close` says why.
    child.stdin.on('error', () => {})
    this.ended = new Promise((resolve) => child.on('close', resolve))
  }

  /** Throws an `OneiroError` with the code `PROGRAM_MISSING` where there is no ffmpeg. */
  static async open(file: string, { width, height, rate }: VideoOptions): Promise<Video> {
    const input = [
      '-f',
      'rawvideo',
      '-pix_fmt',
      'rgba',
      '-s',
      `${width}x${height}`,
      '-r',
      `${rate}`,
      '-i',
      '-',
    ]
    const filters = `scale=iw*${SCALE}:ih*${SCALE}:flags=neighbor,format=yuv420p`
    const child = spawn(ffmpeg(), ['-v', 'error', '-y', ...input, '-vf', filters, file])
    const video = new Video(child, file)
    try {
      await once(child, 'spawn')
    } catch (cause) {
      throw new OneiroError(
        'PROGRAM_MISSING',
        `A video is made by ffmpeg, but ${ffmpeg()} cannot be started. Install it (on Debian: apt-get install ffmpeg), or set ONEIRO_FFMPEG to its path.`,
        { cause },
      )
    }
    return video
  }

  /** The next frame, of the size that it was opened with. */
  add({ data }: Pixels): void {
    if (this.child.stdin.writable) this.child.stdin.write(Uint8Array.from(data))
  }

  /** Resolves when the file is whole. Throws an `OneiroError` with the code `VIDEO_FAILED`, in ffmpeg's words. */
  async close(): Promise<void> {
    this.child.stdin.end()
    const status = await this.ended
    if (status === 0) return
    throw new OneiroError(
      'VIDEO_FAILED',
      `ffmpeg could not write ${this.file}: ${this.said.trim() || `it ended with ${status}`}`,
    )
  }
}
