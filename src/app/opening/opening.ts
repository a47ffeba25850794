import type { StageFace } from '../../scene/stage'
import type { Params } from '../params'
import type { Store } from '../store'
import opening from './opening.json'
import picture from './opening.webp'

/** The drive that a visit begins with: chosen by looking. `scripts/opening.ts` makes its picture from the dream. */
export const OPENING: { readonly seed: number; readonly prompt: string; readonly modelHash: string } = opening

/** Parts of the address that say nothing about which drive it is. */
const ASIDE = ['backend', 'stage', 'hud', 'cruise', 'assist', 'bleed', 'sound', 'clock', 'run']

/** True where nothing but this drive was asked for. */
export function isOpening({ view, server, moment }: Params, search: string): boolean {
  const asked = [...new URLSearchParams(search).keys()].filter((name) => !ASIDE.includes(name))
  return view === 'dream' && !server && !moment && asked.length === 0
}

/** Shows its first frame while the dream is still on its way. A picture that does not load is no loss. */
export async function showOpening(stage: StageFace, store: Store): Promise<void> {
  try {
    const image = Object.assign(new Image(), { src: picture })
    await image.decode()
    const { naturalWidth: width, naturalHeight: height } = image
    const canvas = Object.assign(document.createElement('canvas'), { width, height })
    const context = canvas.getContext('2d', { willReadFrequently: true })!
    context.drawImage(image, 0, 0)
    const { data } = context.getImageData(0, 0, width, height)
    if (store.getState().phase !== 'loading') return
    stage.show(1, false)
    stage.present(0, { width, height, data })
    store.setState({ opening: true })
    performance.mark('oneiro-opening')
  } catch {
    // The veil stays as dark as it is.
  }
}
