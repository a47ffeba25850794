import {
  BufferTarget,
  CanvasSource,
  getFirstEncodableVideoCodec,
  Mp4OutputFormat,
  Output,
  QUALITY_HIGH,
  WebMOutputFormat,
} from 'mediabunny'
import type { Pixels } from '../../engine/world'
import { Doubled } from '../../scene/stage/doubled'
import { type Cut, loopOf } from './reel'

/** Screen pixels for one of the dream's own. */
const STILL_SCALE = 6
const LOOP_SCALE = 4
/** Below this nobody would see a loop. */
const SHORTEST_TICKS = 20
const NO_CODECS =
  'This browser cannot make videos (it has no WebCodecs). Save a still with I, or open the page in a newer browser.'

/** A picture as PNG, enlarged as the page shows it. */
export async function stillOf(pixels: Pixels): Promise<Blob> {
  const { canvas, draw } = enlarger(pixels, STILL_SCALE)
  draw(pixels)
  return canvas.convertToBlob({ type: 'image/png' })
}

/**
 * A loop of these frames as MP4, or as WebM where the browser makes no H.264. Rejects with a sentence where it makes neither, or
 * where there are too few frames.
 */
export async function videoOf(
  frames: readonly Pixels[],
  ticksPerSecond: number,
  onProgress: (fraction: number) => void,
): Promise<{ blob: Blob; extension: 'mp4' | 'webm' }> {
  if (frames.length < SHORTEST_TICKS)
    throw new Error('There is not yet a second to make a loop of. Drive on for a moment and try again.')
  if (typeof VideoEncoder === 'undefined') throw new Error(NO_CODECS)
  const { canvas, draw } = enlarger(frames[0]!, LOOP_SCALE)
  const { width, height } = canvas
  const codec = await getFirstEncodableVideoCodec(['avc', 'vp9', 'vp8'], { width, height })
  if (!codec) throw new Error(NO_CODECS)
  const extension = codec === 'avc' ? 'mp4' : 'webm'
  const target = new BufferTarget()
  const format = codec === 'avc' ? new Mp4OutputFormat({ fastStart: 'in-memory' }) : new WebMOutputFormat()
  const output = new Output({ format, target })
  const source = new CanvasSource(canvas, { codec, bitrate: QUALITY_HIGH, latencyMode: 'realtime' })
  output.addVideoTrack(source, { frameRate: ticksPerSecond })
  await output.start()
  const cuts = loopOf(frames)
  try {
    for (const [i, cut] of cuts.entries()) {
      drawCut(draw, cut)
      await source.add(i / ticksPerSecond, 1 / ticksPerSecond)
      onProgress((i + 1) / cuts.length)
    }
    await output.finalize()
  } catch (error) {
    await output.cancel().catch(() => {})
    throw error
  }
  return { blob: new Blob([target.buffer!], { type: format.mimeType }), extension }
}

function drawCut(draw: (pixels: Pixels, alpha?: number) => void, { frame, over, share }: Cut): void {
  draw(frame)
  if (over) draw(over, share)
}

/** A canvas on which small frames are drawn large. */
function enlarger({ width, height }: Pixels, scale: number) {
  const doubled = new Doubled()
  const canvas = new OffscreenCanvas(width * scale, height * scale)
  const twice = new OffscreenCanvas(width * 2, height * 2)
  const context = canvas.getContext('2d', { alpha: false })!
  const small = twice.getContext('2d')!
  context.imageSmoothingQuality = 'high'
  const draw = (pixels: Pixels, alpha = 1) => {
    small.putImageData(doubled.draw(pixels), 0, 0)
    context.globalAlpha = alpha
    context.drawImage(twice, 0, 0, canvas.width, canvas.height)
  }
  return { canvas, draw }
}
