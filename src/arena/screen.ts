import type { Pixels } from '../engine/world'
import { createStage, type StageFace } from '../scene/stage'
import type { Screen } from './arena'

/** Every so many frames the light around a picture follows it. */
const LIGHT_EVERY = 4
/** Pixels that are left out between two that are looked at. */
const STRIDE = 37

/** One side: the product's own stage, and a glow in the picture's colour around it. */
export class PaneScreen implements Screen {
  private frames = 0

  private constructor(
    private readonly host: HTMLElement,
    private readonly stage: StageFace,
  ) {}

  /** The stage without WebGL: it enlarges both sides alike on every device, and waking does not blur the first second. */
  static async open(host: HTMLElement): Promise<PaneScreen> {
    return new PaneScreen(host, await createStage(host, 'flat'))
  }

  show(pixels: Pixels): void {
    this.stage.present(0, pixels)
    if (this.frames++ % LIGHT_EVERY === 0) this.host.style.setProperty('--glow', meanColour(pixels))
  }
}

function meanColour({ data }: Pixels): string {
  const sum = [0, 0, 0]
  let count = 0
  for (let i = 0; i < data.length; i += 4 * STRIDE) {
    for (let channel = 0; channel < 3; channel++) sum[channel]! += data[i + channel]!
    count++
  }
  return `rgb(${sum.map((value) => Math.round(value / count)).join(' ')})`
}
