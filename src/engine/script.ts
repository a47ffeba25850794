/** What scripts ask of a world again and again: hold, until, expect. `Timeline` has them as methods. */

import { type Action, spaceOf } from './controls'
import { BadInputError, OneiroError } from './errors'
import { shown } from './fields'
import type { Pixels, Tick, World } from './world'

export interface UntilOptions {
  /** Held meanwhile; controls that are not named rest. Left out, nothing is. */
  readonly hold?: Action
  /** Ticks after which it is given up. Default 1,000. */
  readonly most?: number
}

/** Above this, two pictures are taken for the same: it is a rounding here and there. */
const SAME_DB = 40

/** The whole action of a world of which some controls are named; the others rest. Throws `BadInputError`. */
export function holding({ info }: Pick<World, 'info'>, named: Action): Action {
  if (typeof named !== 'object' || named === null || Array.isArray(named)) {
    throw new BadInputError(`What is held is an object of controls and values, but ${shown(named)} came.`)
  }
  const space = spaceOf(info.controls)
  const action = { ...space.idle, ...named }
  space.check(action)
  return action
}

/** Holds controls for so many ticks; resolves with the last. Throws `BadInputError`, and then nothing has moved. */
export async function hold(world: World, named: Action, ticks: number): Promise<Tick> {
  const action = holding(world, named)
  checkTicks(ticks)
  let tick = await world.step(action)
  for (let i = 1; i < ticks; i++) tick = await world.step(action)
  return tick
}

/**
 * Steps until the condition holds of a tick, and resolves with it. Throws `BadInputError`, and an `OneiroError` with the code
 * `NOT_REACHED` where it did not hold of the next `most` ticks.
 */
export async function until(
  world: World,
  condition: (tick: Tick) => boolean,
  { hold: named = {}, most = 1000 }: UntilOptions = {},
): Promise<Tick> {
  const action = holding(world, named)
  checkTicks(most)
  if (typeof condition !== 'function') {
    throw new BadInputError(`A condition is a function of a tick, but ${shown(condition)} came.`)
  }
  for (let i = 0; ; i++) {
    const tick = await world.step(action)
    if (condition(tick)) return tick
    if (i + 1 === most) {
      throw new OneiroError(
        'NOT_REACHED',
        `The condition held of none of the ${most} ticks to tick ${tick.index}. Hold something else, or raise \`most\`.`,
      )
    }
  }
}

/**
 * How near the newest frame is to an image, in dB of PSNR over red, green and blue. Throws an `OneiroError` with the code
 * `FRAME_DIFFERS` where that is less than `dB`, and `BadInputError` where the image is of another size.
 */
export async function expectFrame(world: World, image: Pixels, dB = SAME_DB): Promise<number> {
  if (!(dB > 0)) throw new BadInputError(`A distance in dB is above 0, but ${shown(dB)} came.`)
  const frame = await world.readPixels()
  const { width, height, data } = image ?? {}
  if (width !== frame.width || height !== frame.height || data?.length !== frame.data.length) {
    throw new BadInputError(
      `The frame is ${frame.width}x${frame.height} RGBA, but an image of ${width}x${height} came.`,
    )
  }
  const near = psnr(frame.data, data)
  if (near >= dB) return near
  throw new OneiroError(
    'FRAME_DIFFERS',
    `The frame is ${near.toFixed(1)} dB from the image, but ${dB} dB at least were expected.`,
  )
}

/** Alpha is left aside. Infinite where both are the same. */
function psnr(a: Uint8ClampedArray, b: Uint8ClampedArray): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) if (i % 4 !== 3) sum += (a[i]! - b[i]!) ** 2
  return 10 * Math.log10((255 ** 2 * a.length * 0.75) / sum)
}

function checkTicks(ticks: number): void {
  if (Number.isInteger(ticks) && ticks > 0) return
  throw new BadInputError(`Ticks are a whole number from 1 on, but ${shown(ticks)} came.`)
}
