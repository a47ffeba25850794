import type { DreamClient } from '../../model/open'

/** A worker that stalled is replaced, from a checkpoint some ticks ago: the timeline begins again there. */
export class Stalls {
  private watched: DreamClient | null = null
  /** The dream's worker is being replaced; whether play goes on afterwards. */
  private resume: boolean | null = null

  constructor(
    private readonly port: {
      readonly playing: boolean
      readonly fail: (error: unknown) => void
      readonly again: (resume: boolean) => void
    },
  ) {}

  watch(dream: DreamClient): void {
    if (this.watched === dream) return
    this.watched = dream
    dream.on((event) => {
      if (this.watched !== dream) return
      if (event.type === 'stalled') this.resume ??= this.port.playing
      else if (event.type === 'failed') this.port.fail(event.error)
      else if (event.type === 'recovered' && this.resume !== null) {
        const { resume } = this
        this.resume = null
        this.port.again(resume)
      }
    })
  }

  /** A step failed because the worker stalled: play goes on after it was replaced. */
  inPlay(): void {
    this.resume = true
  }
}
