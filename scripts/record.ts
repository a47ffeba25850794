/** `npm run record`: plays a world and writes episodes. */
import { spawnSync } from 'node:child_process'
import { Command, InvalidArgumentError } from 'commander'

import { POLICIES, type PolicyName } from '../src/scene/drive/policy'
import { fromUser } from './lib/paths.mjs'
import { progressOf } from './lib/progress.mjs'
import { recordDrive } from './record/drive'
import { EpisodeFolder, type RecordOptions } from './record/files'
import { checkRecordable, loadWorldModule, recordModuleEpisode } from './record/module'

function whole(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 0)
    throw new InvalidArgumentError('Give a non-negative whole number.')
  return value
}

const program = new Command('record')
  .description(
    'Record episodes of a world: frames, actions, captions, rewards. Resumes: episodes on disk are kept.',
  )
  .requiredOption(
    '--world <name>',
    'drive, a TypeScript module that exports openWorld(), or gym:ID, a Gymnasium environment',
    'drive',
  )
  .option('--episodes <n>', 'episodes', whole, 100)
  .option('--ticks <n>', 'ticks an episode', whole, 160)
  .option('--seed <n>', 'seed of the first episode; 1,000,000 and up is held out from training', whole, 0)
  .option('--policy <name>', `of the drive: one of ${POLICIES.join(', ')} (default: all, mixed)`)
  .option(
    '--angle <name>',
    'what Chromium draws with: swiftshader, or gl-egl where Mesa is (faster)',
    'swiftshader',
  )
  .option(
    '--gym <key=value...>',
    'of gym:ID, see python -m distill record-gym --keys (size, side-by-side, ...)',
  )
  .requiredOption('--out <dir>', 'folder of the episodes', fromUser)
  .parse()
const options = program.opts<RecordOptions & { gym?: string[] }>()

function stop(message: string): never {
  console.error(message)
  process.exit(1)
}

if (options.ticks < 30 || options.episodes < 1)
  stop('An episode needs at least 30 ticks, and a recording at least one episode.')

const isDrive = options.world === 'drive'
if (options.policy && !(isDrive && POLICIES.includes(options.policy as PolicyName)))
  stop(
    isDrive
      ? `A policy is one of ${POLICIES.join(', ')}, but "${options.policy}" was asked for.`
      : 'Policies are the drive’s; a module exports its own as policy(rng).',
  )

if (options.world.startsWith('gym:')) {
  const { episodes, ticks, seed, out, gym = [] } = options
  const settings = Object.entries({ env: options.world.slice(4), episodes, ticks, seed, out })
  const stage = [
    'scripts/python.mjs',
    '-m',
    'distill',
    'record-gym',
    ...settings.map((entry) => entry.join('=')),
    ...gym,
  ]
  process.exit(spawnSync(process.execPath, stage, { stdio: 'inherit' }).status ?? 1)
}
if (!isDrive && !/\.[cm]?[jt]s$/.test(options.world))
  stop(
    `"${options.world}" is no world that can be recorded. Give drive, a module that exports openWorld() (examples/snake/world.ts), or gym:ID.`,
  )

const folder = await EpisodeFolder.open(options)
const { missing } = folder
if (missing.length < folder.seeds.length)
  console.log(`${folder.seeds.length - missing.length} of ${folder.seeds.length} episodes are there already.`)

const progress = progressOf({ total: missing.length, unit: 'episodes', stream: process.stdout })
const started = Date.now()
let done = 0
function advance(): void {
  const fps = (++done * options.ticks * 1000) / (Date.now() - started)
  progress.advance(`${fps.toFixed(0)} frames/s`)
}

/** Records a module's world; what cannot be recorded is said before the first episode. */
async function recordModule(): Promise<void> {
  const module = await loadWorldModule(fromUser(options.world))
  const world = await module.openWorld()
  await checkRecordable(world)
  for (const seed of missing) {
    await folder.write({ ...(await recordModuleEpisode(module, world, seed, options.ticks)) })
    advance()
  }
  await world.close()
}

let code = 0
try {
  await (isDrive ? recordDrive(options, folder, advance) : recordModule())
} catch (error) {
  code = 1
  console.error(`\n${(error as Error).message}`)
} finally {
  progress.stop()
}
process.exit(code)
