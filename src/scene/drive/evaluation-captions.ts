import { Rng } from '../../engine/random'
import { BIOMES, caption, type Setting, TIMES, WEATHERS } from './captions'

export interface CaptionedSetting extends Setting {
  readonly train: readonly string[]
  readonly unseen: readonly string[]
}

const EACH = 4
const CAPTION_STREAM = 19

/** For every one of the 80 settings, four captions in trained words and four in words never trained on. */
export function evaluationCaptions(): CaptionedSetting[] {
  const rng = new Rng(0, CAPTION_STREAM)
  const uniform = () => rng.uniform()
  return BIOMES.flatMap((biome) =>
    TIMES.flatMap((time) =>
      WEATHERS.map((weather) => {
        const setting = { biome, time, weather }
        const say = (split: 'train' | 'unseen') =>
          Array.from({ length: EACH }, () => caption(setting, uniform, split))
        return { ...setting, train: say('train'), unseen: say('unseen') }
      }),
    ),
  )
}
