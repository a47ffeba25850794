/** `npm run replay -- FILE`: plays an action log headless and says where, if anywhere, it diverges. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Command } from 'commander'
import { firstTick, lastTick, readActionLog } from '../src/engine/action-log'
import { BadInputError, OneiroError } from '../src/engine/errors'
import { replay } from '../src/engine/replay'
import { RunCheck } from '../src/engine/run'
import type { Tick } from '../src/engine/world'
import { parseManifest } from '../src/model/assets/manifest'
import { runFor } from '../src/scene/drive'
import { fromUser, whyNoFile } from './lib/paths.mjs'
import { progressOf } from './lib/progress.mjs'
import { exitCodeOf, report, reportRun } from './lib/replay-report'

interface Options {
  assets?: string
  anyModel: boolean
  json: boolean
  video?: string
}

async function main(file: string, options: Options): Promise<void> {
  const path = fromUser(file)
  const fault = whyNoFile(path, 'an action log, as the page saves it with L')
  if (fault) throw new BadInputError(fault)
  const log = readActionLog(await readFile(path, 'utf8'))
  // Here and not above, so that --help and a bad file answer without starting a runtime.
  const { openWorld } = await import('../src/node')
  const folder = options.assets ? fromUser(options.assets) : `assets/${log.world}`
  const world = await openWorld(folder)
  const total = lastTick(log) - firstTick(log) + 1
  const progress = options.json ? null : progressOf({ total, unit: 'ticks' })
  try {
    const rule = log.run ? runFor(world.info) : null
    if (log.run && !rule) throw new BadInputError('The log is of a run, but this world has none.')
    const check = rule && new RunCheck(log, rule)
    const { width, height, ticksPerSecond: rate } = world.info
    const video = options.video
      ? await (await import('./lib/video')).Video.open(fromUser(options.video), { width, height, rate })
      : null
    const onTick = (tick: Tick) => {
      check?.hear(tick)
      if (tick.frame) video?.add(tick.frame)
      progress?.advance()
    }
    const result = await replay(log, world, { anyModel: options.anyModel, onTick })
    progress?.stop()
    await video?.close()
    const fault = check ? check.fault(await wordsOf(folder)) : null
    const run = check && log.run && { ...log.run, counted: check.score, fault }
    console.log(options.json ? JSON.stringify({ ...result, ...(run ? { run } : {}) }) : report(result))
    if (run && rule && !options.json) console.log(reportRun(run, rule.unit))
    if (!options.json && log.backend !== world.info.backend) {
      const rounding = result.divergence
        ? ' Two backends round differently, so frames may part without a fault.'
        : ''
      console.log(`Recorded on ${log.backend}, replayed on ${world.info.backend}.${rounding}`)
    }
    process.exitCode = exitCodeOf(result, fault)
  } finally {
    progress?.stop()
    await world.close()
  }
}

/** What a world knows by heart. */
async function wordsOf(folder: string): Promise<string[]> {
  const { presets } = parseManifest(await readFile(join(folder, 'world.json'), 'utf8'))
  return presets.map(({ text }) => text)
}

/** The log could not be played, or the command was not understood. */
const UNPLAYED = 2

await new Command('npm run replay --')
  .description(
    'Play an action log on the dream in Node, and say where, if anywhere, its frames diverge from the log.',
  )
  .argument('<file>', 'action log, as the page saves it (L) and `oneiro.log()` gives it')
  .option('--assets <dir>', 'folder of the world (default: assets/<world of the log>)')
  .option('--any-model', 'play the log of another model too, to see where they part', false)
  .option('--video <file>', 'also write the frames as a video (.mp4, .webm, .gif), where ffmpeg is installed')
  .option('--json', 'print the result as JSON', false)
  .addHelpText(
    'after',
    '\nExit status: 0 all frames equal, and the score of a run is what its log says; 1 a frame differs or the run is none, 2 the log could not be played or the command was not understood, 3 nothing was compared.',
  )
  .action(async (file: string, options: Options) => {
    try {
      await main(file, options)
    } catch (error) {
      // What the system refuses (no right to read, a disk that fails) is a sentence already.
      const known = error instanceof OneiroError || (error as NodeJS.ErrnoException).syscall !== undefined
      console.error(known ? (error as Error).message : error)
      process.exitCode = UNPLAYED
    }
  })
  // What it does not understand would end with 1 otherwise, which says that a frame differs.
  .exitOverride(({ exitCode }) => process.exit(exitCode && UNPLAYED))
  .parseAsync()
