/** `npm run check -- DIR`: is a folder a world that plays, and how well does it play here? */
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import { BadInputError, OneiroError } from '../src/engine/errors'
import { checkFolder, sentences } from './lib/check-folder'
import { fromUser } from './lib/paths.mjs'

interface Options {
  ticks: number
  threads: number
  json: boolean
}

async function main(dir: string, options: Options): Promise<void> {
  const path = fromUser(dir)
  if (!existsSync(path) || !statSync(path).isDirectory() || !existsSync(join(path, 'world.json'))) {
    throw new BadInputError(
      `${path} is no folder of a world. Give one with a world.json in it, for example assets/drive.`,
    )
  }
  const found = await checkFolder(path, options)
  console.log(options.json ? JSON.stringify(found) : sentences(found).join('\n'))
  process.exitCode = found.faults.length > 0 ? 1 : 0
}

function whole(text: string): number {
  const value = Number(text)
  if (Number.isInteger(value) && value > 0) return value
  throw new InvalidArgumentError('It is a whole number above 0.')
}

await new Command('npm run check --')
  .description(
    'Say whether a folder is a world that plays: its files, what it promises, whether it repeats itself bit for bit, and how fast it is here.',
  )
  .argument('<dir>', "the world's folder, for example assets/drive")
  .option('--ticks <n>', 'ticks of each of the drives that are compared', whole, 60)
  .option('--threads <n>', 'threads of one run', whole, 2)
  .option('--json', 'print the result as JSON', false)
  .addHelpText(
    'after',
    '\nExit status: 0 it plays and keeps what it promises, 1 it breaks a promise, 2 it is no world or the command was not understood.',
  )
  .action(async (dir: string, options: Options) => {
    try {
      await main(dir, options)
    } catch (error) {
      console.error(error instanceof OneiroError ? error.message : error)
      process.exitCode = 2
    }
  })
  .exitOverride(({ exitCode }) => process.exit(exitCode && 2))
  .parseAsync()
