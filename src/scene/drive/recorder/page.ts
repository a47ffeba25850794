import { pack } from 'msgpackr'
import { type EpisodeSpec, recordEpisode } from '../episode'
import { DriveRenderer } from '../renderer'
import { checkDrawn } from './guard'

/**
 * The page that scripts/record.ts opens in a headless browser. `recordOne` draws one episode and posts it to
 * `url` as msgpack; the answer is the milliseconds it took.
 */
const canvas = document.createElement('canvas')
const renderer = new DriveRenderer(canvas)

async function recordOne(spec: EpisodeSpec, url: string): Promise<number> {
  const started = performance.now()
  const episode = recordEpisode(renderer, spec)
  // Drawn in one go, so that a context that was lost on the way is still lost here.
  checkDrawn(canvas.getContext('webgl2'), spec.seed)
  const bytes = (array: ArrayBufferView) => new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
  const body = pack({
    ...episode,
    actions: bytes(episode.actions),
    telemetry: bytes(episode.telemetry),
    boxes: bytes(episode.boxes),
    rewards: bytes(episode.rewards),
    dones: bytes(episode.dones),
  })
  const answer = await fetch(url, { method: 'POST', body: new Uint8Array(body) })
  if (!answer.ok) throw new Error(`The recorder could not save episode ${spec.seed}: ${await answer.text()}`)
  return performance.now() - started
}

Object.assign(window, { recordOne })
