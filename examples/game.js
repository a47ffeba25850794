import { worldOf } from 'oneiro/node'

/** A ball that one keeps in the air: the rules and the picture of a world of your own. */
const game = {
  id: 'ball',
  title: 'Ball',
  version: 'ball-1',
  width: 64,
  height: 64,
  ticksPerSecond: 20,
  controls: [{ name: 'tap', kind: 'button', keys: ['Space'] }],
  telemetry: ['height'], // what `read` tells
  begin: (rng) => [rng.uniform(20, 40), 0], // height and speed, in pixels: a state is plain numbers
  step([height, speed], { tap }) {
    const next = tap ? 3 : speed - 0.25
    const at = Math.min(60, height + next)
    return at > 0 ? { state: [at, next], reward: 1 } : { state: [30, 0], reward: 0, done: true }
  },
  read: ([height]) => ({ height }),
  draw([height], rgba) {
    for (let i = 0; i < 64 * 64; i++) {
      const away = Math.hypot((i % 64) - 32, 64 - height - i / 64)
      rgba.set(away < 4 ? [255, 180, 60] : [20, 30, 50], 4 * i)
    }
  },
}

export const openWorld = () => worldOf(game)
