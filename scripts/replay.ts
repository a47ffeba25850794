/** `npm run replay -- FILE`: plays an action log headless and says where, if anywhere, it diverges. */
import { readFile } from 'node:fs/promises'
import { SingleBar } from 'cli-progress'
import { Command } from 'commander'
import { firstTick, lastTick, readActionLog } from '../src/engine/action-log'
import { OneiroError } from '../src/engine/errors'
import { type Replay, replay } from '../src/engine/replay'

interface Options {
  assets?: string
  anyModel: boolean
  json: boolean
}

function report({ compared, differing, divergence, firstTick, lastTick }: Replay): string {
  const span = `ticks ${firstTick} to ${lastTick}`
  if (compared === 0) return `Played ${span}. The log has no frame hashes, so nothing was compared.`
  if (!divergence) return `Played ${span}. All ${compared} frames are the same, bit for bit.`
  const { tick, expected, got } = divergence
  return `Diverges at tick ${tick}: the log has frame ${expected}, but ${got} came. Of ${compared} frames ${differing} differ (${span}).`
}

async function main(file: string, options: Options): Promise<void> {
  const log = readActionLog(await readFile(file, 'utf8'))
  // Here and not above, so that --help and a bad file answer without starting a runtime.
  const { openDreamNode } = await import('../src/model/node')
  const world = await openDreamNode(options.assets ?? `assets/${log.world}`)
  const bar = options.json
    ? null
    : new SingleBar({ format: '{bar} {value}/{total} ticks', clearOnComplete: true })
  try {
    bar?.start(lastTick(log) - firstTick(log) + 1, 0)
    const result = await replay(log, world, { anyModel: options.anyModel, onTick: () => bar?.increment() })
    bar?.stop()
    console.log(options.json ? JSON.stringify(result) : report(result))
    if (!options.json && log.backend !== world.info.backend) {
      const rounding = result.divergence
        ? ' Two backends round differently, so frames may part without a fault.'
        : ''
      console.log(`Recorded on ${log.backend}, replayed on ${world.info.backend}.${rounding}`)
    }
    process.exitCode = result.divergence ? 1 : 0
  } finally {
    bar?.stop()
    await world.close()
  }
}

await new Command('npm run replay --')
  .description(
    'Play an action log on the dream in Node, and say where, if anywhere, its frames diverge from the log.',
  )
  .argument('<file>', 'action log, as the page saves it (L) and `oneiro.log()` gives it')
  .option('--assets <dir>', 'folder of the world (default: assets/<world of the log>)')
  .option('--any-model', 'play the log of another model too, to see where they part', false)
  .option('--json', 'print the result as JSON', false)
  .addHelpText(
    'after',
    '\nExit status: 0 all frames equal, 1 a frame differs, 2 the log could not be played.',
  )
  .action(async (file: string, options: Options) => {
    try {
      await main(file, options)
    } catch (error) {
      const known = error instanceof OneiroError || (error as NodeJS.ErrnoException).code === 'ENOENT'
      console.error(known ? (error as Error).message : error)
      process.exitCode = 2
    }
  })
  .parseAsync()
