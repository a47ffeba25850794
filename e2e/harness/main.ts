/** The bare runtime in a page, for tests and the bench: no interface, only `window.harness`. */
import { ACTIONS, type Action } from '../../src/engine/action'
import { hashPixels } from '../../src/engine/frame-hash'
import { type DreamClient, type DreamEvent, type OpenDreamOptions, openDream } from '../../src/model/open'

export interface Opened {
  readonly dream: DreamClient
  readonly events: DreamEvent[]
  readonly phases: string[]
}

const harness = {
  openDream,
  hashPixels,

  /** Opens a world and keeps what it tells. */
  async open(options: OpenDreamOptions): Promise<Opened> {
    const events: DreamEvent[] = []
    const phases: string[] = []
    const dream = await openDream({
      ...options,
      onEvent: (event) => events.push(event),
      onProgress: ({ phase }) => {
        if (phases.at(-1) !== phase) phases.push(phase)
      },
    })
    return { dream, events, phases }
  },

  /** The action that tests hold at tick `i`: every one of the nine comes up. */
  action: (i: number): Action => ACTIONS[(i * 5 + 3) % ACTIONS.length]!,

  /** Plays and gives the frame of every tick as a list of hashes. */
  async play(dream: DreamClient, from: number, ticks: number): Promise<string[]> {
    const hashes: string[] = []
    for (let i = from; i < from + ticks; i++) {
      const { frame } = await dream.step(harness.action(i))
      hashes.push(hashPixels(frame ?? (await dream.readPixels())))
    }
    return hashes
  },

  /** Hands the page's canvas to the dream. */
  attach(dream: DreamClient): Promise<void> {
    const canvas = document.querySelector('canvas')!
    return dream.attachCanvas(canvas.transferControlToOffscreen())
  },
}

export type Harness = typeof harness
declare global {
  interface Window {
    harness: Harness
  }
}
window.harness = harness
