import { type ActionLog, actionTo, decodeBegin, decodePrompt, firstTick, lastTick } from './action-log'
import { BadInputError } from './errors'
import { hashPixels } from './frame-hash'
import { playOn } from './play-on'
import type { Tick, World, WorldInfo } from './world'

export interface Divergence {
  readonly tick: number
  /** Hash that the log has. */
  readonly expected: string
  /** Hash of the replayed frame. */
  readonly got: string
}

export interface Replay {
  readonly firstTick: number
  readonly lastTick: number
  /** Frames whose hash the log has. */
  readonly compared: number
  /** How many of them differ. */
  readonly differing: number
  /** The first that differs, or null. */
  readonly divergence: Divergence | null
}

export interface ReplayOptions {
  /** Play a log of other weights too, to see where they part. Default false. */
  readonly anyModel?: boolean
  /** Hears every replayed tick. */
  readonly onTick?: (tick: Tick) => void
}

/** Throws `BadInputError` where a log is of another world or, unless `anyModel`, of another model. */
export function checkLog(
  log: Pick<ActionLog, 'world' | 'modelHash'>,
  { id, modelHash }: Pick<WorldInfo, 'id' | 'modelHash'>,
  options: Pick<ReplayOptions, 'anyModel'> = {},
): void {
  if (log.world !== id) {
    throw new BadInputError(`The log is of world "${log.world}", but this one is "${id}". Open that world.`)
  }
  if (log.modelHash !== modelHash && !options.anyModel) {
    throw new BadInputError(
      `The log was made by model ${log.modelHash}, but this one is ${modelHash}. Replay it with that model.`,
    )
  }
}

/**
 * Plays a log on a world and compares every frame. Throws `BadInputError` for a log of another world, or, unless
 * `anyModel`, of another model.
 *
 * @example
 * const { compared, divergence } = await replay(log, world)
 * if (divergence) console.log(`frame ${divergence.tick} differs`)
 */
export async function replay(log: ActionLog, world: World, options: ReplayOptions = {}): Promise<Replay> {
  checkLog(log, world.info, options)
  const first = firstTick(log)
  const last = lastTick(log)
  let compared = 0
  let differing = 0
  let divergence: Divergence | null = null

  async function compare(tick: Tick): Promise<void> {
    options.onTick?.(tick)
    const expected = log.hashes[tick.index - first]
    if (!expected) return
    const got = hashPixels(tick.frame ?? (await world.readPixels()))
    compared++
    if (got === expected) return
    differing++
    divergence ??= { tick: tick.index, expected, got }
  }

  const begin = decodeBegin(log.begin)
  await compare('reset' in begin ? await world.reset(begin.reset) : await world.restore(begin.restore))
  const prompts = (after: number) =>
    log.prompts.filter(({ afterTick }) => afterTick === after).map(decodePrompt)
  await playOn(world, { prompts, action: (to) => actionTo(log, to) }, first, last, compare)
  for (const prompt of prompts(last)) await world.setPrompt(prompt)
  return { firstTick: first, lastTick: last, compared, differing, divergence }
}
