import { playOn } from '../../engine/play-on'
import type { DreamState } from './snapshot'

interface PlayedTick {
  readonly action: Float32Array
  readonly text: string
  readonly embedding: Float32Array
}

interface Checkpoint {
  readonly state: DreamState
  readonly latents: Float32Array
}

/**
 * What it takes to bring a dream back on a new device: a checkpoint from memory and every action and prompt since. Ticks
 * are a pure function of those, so playing them again arrives where the device was lost.
 */
export class Recovery {
  private from: Checkpoint | null = null
  private played: PlayedTick[] = []

  /** `every`: ticks between checkpoints; 0 keeps nothing. */
  constructor(private readonly every: number) {}

  /** A reset or restore. `latents` must not change afterwards. */
  begin(state: DreamState, latents: Float32Array): void {
    this.played = []
    this.from = this.every > 0 ? { state: copy(state), latents } : null
  }

  /** `action` [D] and the prompt of `state` made the tick that `state` now is at. */
  ticked(action: Float32Array, { text, embedding }: DreamState): void {
    if (this.from) this.played.push({ action, text, embedding })
  }

  isDue(tick: number): boolean {
    return this.from !== null && tick % this.every === 0
  }

  /** A newer point to begin from; the ticks up to it are forgotten. */
  checkpoint(state: DreamState, latents: Float32Array): void {
    if (!this.from || state.tick <= this.from.state.tick) return
    this.played.splice(0, state.tick - this.from.state.tick)
    this.from = { state, latents }
  }

  /** Brings `state`, and the backend through the two functions, to where they were. Nothing where play has not begun. */
  async replay(
    begin: (latents: Float32Array) => Promise<void>,
    advance: (state: DreamState, action: Float32Array) => Promise<unknown>,
    state: DreamState | null,
  ): Promise<void> {
    if (!this.from || !state) return
    const { text, embedding } = state
    try {
      await begin(this.from.latents)
      state.tick = this.from.state.tick
      state.past.set(this.from.state.past)
      const { played } = this
      const { tick } = this.from.state
      const world = {
        setPrompt: ({ text, embedding }: PlayedTick) => Object.assign(state, { text, embedding }),
        step: (action: Float32Array) => advance(state, action),
      }
      const again = {
        prompts: (after: number) => played.slice(after - tick, after - tick + 1),
        action: (to: number) => played[to - tick - 1]!.action,
      }
      await playOn(world, again, tick, tick + played.length)
    } finally {
      // A prompt that was set after the last tick has not been played yet.
      Object.assign(state, { text, embedding })
    }
  }
}

function copy(state: DreamState): DreamState {
  return { ...state, past: state.past.slice() }
}
