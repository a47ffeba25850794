import type { LoopEvent } from '../../engine/loop'
import type { Pixels } from '../../engine/world'
import { sentenceOf } from '../failures'
import { loadPart } from '../offline/newer'
import type { Player } from '../player/player'
import { notify, type Store } from '../store'
import { download } from '../ui/download'
import { FADE_TICKS, LOOP_TICKS, Reel } from './reel'

/** Stills and loops of the drive. What makes them loads with the first. */
export class Clips {
  private readonly reel = new Reel()
  private busy = false

  constructor(
    private readonly store: Store,
    private readonly player: Player,
  ) {
    player.listen((event) => this.reel.hear(event))
  }

  async still(): Promise<void> {
    await this.make(async ({ stillOf }) => {
      download(await stillOf(await this.player.readPixels()), this.name('png'))
    })
  }

  /** The last eight seconds; where frames stay on a GPU, the next. */
  async loop(): Promise<void> {
    await this.make(async ({ videoOf }) => {
      const { store } = this
      const onGpu = this.reel.last.length === 0 && this.player.world?.info.backend.includes('webgpu')
      const frames = onGpu ? await this.filmed() : this.reel.last
      const say = (label: string, fraction: number | null) => store.setState({ loading: { label, fraction } })
      try {
        const { blob, extension } = await videoOf(frames, store.getState().nominalRate, (fraction) =>
          say(`Making the loop · ${Math.round(fraction * 100)} %`, fraction),
        )
        download(blob, this.name(extension))
        const seconds = ((frames.length - FADE_TICKS) / store.getState().nominalRate).toFixed(0)
        notify(store, `A loop of ${seconds} seconds was saved, ${(blob.size / 1e6).toFixed(1)} MB.`)
      } finally {
        store.setState({ loading: null })
      }
    })
  }

  /** Reads the next frames back from a GPU, tick by tick. */
  private filmed(): Promise<Pixels[]> {
    if (!this.player.playing)
      throw new Error('Frames stay on the GPU here, so a loop is filmed. Drive on and try again.')
    notify(this.store, 'Filming the next eight seconds.')
    return new Promise((resolve) => {
      const reads: Promise<Pixels | null>[] = []
      const end = () => {
        stop()
        void Promise.all(reads).then((frames) => resolve(frames.filter((frame) => frame !== null)))
      }
      const stop = this.player.listen((event: LoopEvent, world) => {
        if (event.type === 'begin' || event.type === 'state') end()
        if (event.type !== 'tick') return
        reads.push(world.readPixels().catch(() => null))
        if (reads.length >= LOOP_TICKS + FADE_TICKS) end()
      })
    })
  }

  private async make(job: (clips: typeof import('.')) => Promise<void>): Promise<void> {
    if (this.busy || !this.player.world) return
    this.busy = true
    try {
      await job(await loadPart(() => import('.')))
    } catch (error) {
      notify(this.store, sentenceOf(error), 'warn')
    } finally {
      this.busy = false
    }
  }

  private name(extension: string): string {
    const { seed, tick } = this.store.getState()
    return `oneiro-${seed}-${tick}.${extension}`
  }
}
