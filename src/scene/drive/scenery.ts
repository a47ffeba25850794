import type { Biome } from './captions'
import { hash01, lerp } from './math'
import type { ShapeName } from './shapes'
import { PERIOD_METRES } from './track'

/** Metres of road to a slot; each slot has room for one thing on each side in the near and in the far row. */
export const SLOT_METRES = PERIOD_METRES / 2

export interface Prop {
  readonly shape: ShapeName
  /** Lateral offset from the centre line, metres. */
  readonly d: number
  readonly scale: number
  /** Radians about the vertical. */
  readonly turn: number
  /** Brightness of this one thing, about 1. */
  readonly shade: number
}

interface Planting {
  /** Share of slots that hold something, near the road and farther off. */
  readonly near: number
  readonly far: number
  readonly shapes: readonly ShapeName[]
}

const PLANTING: Record<Biome, Planting> = {
  meadow: { near: 0.34, far: 0.3, shapes: ['roundTree', 'bush', 'bush', 'roundTree'] },
  forest: { near: 0.8, far: 0.9, shapes: ['pine', 'pine', 'pine', 'bush'] },
  desert: { near: 0.36, far: 0.26, shapes: ['cactus', 'cactus', 'mesa', 'cactus'] },
  snow: { near: 0.45, far: 0.5, shapes: ['snowPine', 'snowPine', 'boulder', 'snowPine'] },
  volcano: { near: 0.42, far: 0.36, shapes: ['spire', 'ember', 'spire', 'ember'] },
}

/** What stands in `slot` if the land is `biome`: a pure function of the seed. */
export function propsInSlot(seed: number, slot: number, biome: Biome): Prop[] {
  const planting = PLANTING[biome]
  const props: Prop[] = []
  for (const row of [0, 1]) {
    for (const side of [-1, 1]) {
      const salt = 100 + row * 20 + (side + 1) * 5
      if (hash01(seed, slot, salt) >= (row === 0 ? planting.near : planting.far)) continue
      const kind = hash01(seed, slot, salt + 1)
      const reach = hash01(seed, slot, salt + 2)
      props.push({
        shape: planting.shapes[Math.floor(kind * planting.shapes.length)]!,
        d: side * (row === 0 ? lerp(13.5, 18, reach) : lerp(24, 44, reach)),
        scale: lerp(1, 1.35, hash01(seed, slot, salt + 4)),
        turn: hash01(seed, slot, salt + 1) * 50,
        shade: lerp(0.88, 1.12, reach),
      })
    }
  }
  return props
}
