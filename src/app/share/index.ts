import { type ActionLog, firstTick, lastTick, readActionLog, writeActionLog } from '../../engine/action-log'
import { sentenceOf } from '../failures'
import { shareUrl } from '../params'
import type { Player } from '../player/player'
import { notify, type Store } from '../store'
import { download } from '../ui/download'
import { lengthOf, packMoment, unpackMoment } from './moment'

/** A log of some hours is a few megabytes. */
const MAX_FILE_BYTES = 64e6

/** Links, and drives that are saved and opened again. */
export class Sharing {
  constructor(
    private readonly store: Store,
    private readonly player: Player,
    /** Called before the drive becomes another one. */
    private readonly leaving: () => void = () => {},
  ) {}

  /** Copies an address that goes on from this very moment. */
  async linkMoment(): Promise<void> {
    await this.attempt(async () => {
      const text = await packMoment(this.player.log())
      const url = new URL(location.href)
      url.hash = `m=${text}`
      // The log says how the drive began.
      for (const name of ['seed', 'prompt', 'start', 'run']) url.searchParams.delete(name)
      await this.hand(url.href, 'The link to this moment')
    })
  }

  /** Copies an address that begins the same drive anew. */
  async linkDrive(): Promise<void> {
    const { view, seed, prompt, start } = this.store.getState()
    await this.hand(shareUrl(location.href, { view, seed, prompt, start }), 'The link to this drive')
  }

  /** Saves the log of the drive, which `npm run replay` plays again, and this page too. */
  save(): void {
    void this.attempt(async () => {
      const log = this.player.log()
      download(writeActionLog(log), `${log.world}-${this.store.getState().seed}.json`)
    })
  }

  /** Goes on from where a saved drive ends. */
  async openFile(file: File): Promise<void> {
    await this.attempt(async () => {
      if (file.size > MAX_FILE_BYTES)
        throw new Error(
          `"${file.name}" is too large to be a saved drive. Choose a file that was saved with L.`,
        )
      await this.open(readActionLog(await file.text()))
    })
  }

  /** Goes on from the moment in a link. */
  async openLink(text: string): Promise<void> {
    await this.attempt(async () => {
      const { world } = this.player
      if (world) await this.open(await unpackMoment(text, world.info.controls))
    })
  }

  /** Lets the user choose a saved drive. */
  choose(): void {
    const input = Object.assign(document.createElement('input'), {
      type: 'file',
      accept: '.json,application/json',
    })
    input.onchange = () => input.files?.[0] && void this.openFile(input.files[0])
    input.click()
  }

  private async open(log: ActionLog): Promise<void> {
    const { store, player } = this
    const [first, last] = [firstTick(log), lastTick(log)]
    this.leaving()
    const { playing } = player
    const started = performance.now()
    let shown = started
    try {
      const { divergence } = await player.continueFrom(log, (tick) => {
        if (performance.now() - shown < 100) return
        shown = performance.now()
        const fraction = (tick - first) / Math.max(1, last - first)
        const label = `Dreaming up to this moment · ${tick - first} of ${last - first}`
        store.setState({ loading: { label, fraction } })
      })
      const seconds = ((performance.now() - started) / 1000).toFixed(1)
      const other = divergence
        ? ' This device rounds in another way, so the picture may differ a little.'
        : ''
      notify(store, `${lengthOf(log)} were dreamed again in ${seconds} s. Go on from here.${other}`)
      if (playing) player.play()
    } finally {
      store.setState({ loading: null })
    }
  }

  private async hand(url: string, what: string): Promise<void> {
    try {
      await navigator.clipboard.writeText(url)
      notify(this.store, `${what} is on the clipboard.`)
    } catch {
      history.replaceState(null, '', url)
      notify(this.store, `${what} is in the address bar.`)
    }
  }

  private async attempt(job: () => Promise<void>): Promise<void> {
    try {
      await job()
    } catch (error) {
      notify(this.store, sentenceOf(error), 'warn')
    }
  }
}

/** A file that is dropped on the page is opened; while it is held over it, the page says so. */
export function attachDrop(root: HTMLElement, open: (file: File) => void): void {
  const holds = (event: DragEvent) => event.dataTransfer?.types.includes('Files') ?? false
  window.addEventListener('dragover', (event) => {
    if (!holds(event)) return
    event.preventDefault()
    root.dataset.dropping = 'true'
  })
  window.addEventListener('dragleave', (event) => {
    if (event.relatedTarget === null) delete root.dataset.dropping
  })
  window.addEventListener('drop', (event) => {
    delete root.dataset.dropping
    const file = event.dataTransfer?.files[0]
    if (!file) return
    event.preventDefault()
    open(file)
  })
}
