import { execFileSync } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import { dirname } from 'node:path'
import { InvalidArgumentError } from 'commander'

/** What every report says about itself. */
export function circumstances() {
  const [cpu] = cpus()
  return {
    commit: commit(),
    command: `npm run bench -- ${process.argv.slice(2).join(' ')}`,
    machine: { cpu: cpu?.model ?? 'unknown', cores: cpus().length, node: process.version },
  }
}

export async function writeReport(file: string, report: object): Promise<void> {
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, `${JSON.stringify(report, null, 2)}\n`)
  console.error(`Written to ${file}.`)
}

/** For options of commander. */
export function positive(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError('A whole number from 1 was expected.')
  return value
}

function commit(): string | null {
  try {
    return execFileSync('git', ['rev-parse', 'HEAD'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
  } catch {
    return null
  }
}
