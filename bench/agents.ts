/** `npm run bench -- agents`: steps a second of 1, 8 and 32 dreams in Node and Python, beside what they are dreams of. */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { Command } from 'commander'
import { type Action, openWorld, spaceOf, type World } from '../src/node'
import { positive } from './report'

interface Flags {
  readonly world: string
  readonly dreams: string
  readonly seconds: number
  readonly threads: number
  readonly python: string
  readonly against?: string
}

/** Steps of single dreams a second, and milliseconds of the processor for each. */
async function measured(step: () => Promise<unknown>, dreams: number, seconds: number) {
  for (let i = 0; i < 3; i++) await step()
  const began = performance.now()
  const used = process.cpuUsage()
  let steps = 0
  for (; performance.now() - began < 1000 * seconds; steps++) await step()
  const wallMs = performance.now() - began
  const { user, system } = process.cpuUsage(used)
  return { rate: (1000 * steps * dreams) / wallMs, busyMs: (user + system) / 1000 / (steps * dreams) }
}

async function inNode(world: World, dreams: number, seconds: number) {
  const space = spaceOf(world.info.controls)
  let tick = 0
  const action = (i: number): Action => space.action((tick * 5 + i * 3) % space.size)
  if (dreams === 1) {
    return measured(() => world.step(action(tick++)), 1, seconds)
  }
  const futures = await world.fork!(dreams)
  const step = () => {
    tick++
    return futures.step(Array.from({ length: dreams }, (_, i) => action(i)))
  }
  try {
    return await measured(step, dreams, seconds)
  } finally {
    await futures.close()
  }
}

/** What a command printed. Rejects with it where the command failed. */
function printed(command: string, args: readonly string[], env = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env: { ...process.env, ...env } })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += data))
    child.on('error', reject)
    child.on('close', (code) => (code === 0 ? resolve(output) : reject(new Error(output))))
  })
}

/** Frames a second of the simulator as it is recorded: in a headless browser, with its picture. */
async function simulator(ticks: number): Promise<string> {
  const out = mkdtempSync(join(tmpdir(), 'oneiro-bench-'))
  try {
    const args = ['scripts/record.ts', '--world', 'drive', '--episodes', '2', '--ticks', `${ticks}`]
    const output = await printed(process.execPath, ['--import', 'tsx', ...args, '--seed', '0', '--out', out])
    return output.match(/(\d+) frames\/s(?!.*frames\/s)/s)?.[1] ?? '-'
  } finally {
    rmSync(out, { recursive: true, force: true })
  }
}

async function main({ world: folder, dreams, seconds, threads, python, against }: Flags): Promise<void> {
  const row = (who: string, count: string | number, rate: number | string, busyMs?: number) =>
    console.log(
      `${who.padEnd(12)}${`${count}`.padStart(7)}${(typeof rate === 'number' ? rate.toFixed(1) : rate).padStart(10)}${(busyMs?.toFixed(1) ?? '-').padStart(14)}`,
    )
  console.log(
    `${'who'.padEnd(12)}${'dreams'.padStart(7)}${'steps/s'.padStart(10)}${'CPU ms/step'.padStart(14)}`,
  )
  const world = await openWorld(folder, { threads })
  await world.reset({ seed: 0 })
  for (const count of dreams.split(',').map(Number)) {
    const { rate, busyMs } = await inNode(world, count, seconds)
    row('Node', count, rate, busyMs)
  }
  await world.close()
  const path = [join('clients', 'python', 'src'), process.env.PYTHONPATH].filter(Boolean).join(delimiter)
  const asked = ['-m', 'oneiro.bench', folder, '--dreams', dreams, '--observations', 'frame']
  const options = ['--threads', `${threads}`, '--seconds', `${seconds}`]
  const output = await printed(python, [...asked, ...options, ...(against ? ['--against', against] : [])], {
    PYTHONPATH: path,
  })
  for (const [, count, what, rate, busyMs] of output.matchAll(/^ *(\d+) +(\S+) +([\d.]+) +([\d.]+)$/gm)) {
    const one = what === 'frame'
    row(one ? 'Python' : what!, one ? count! : '-', Number(rate), Number(busyMs))
  }
  row('simulator', '-', await simulator(200))
}

export function agentsCommand(): Command {
  return new Command('agents')
    .description(
      'Steps a second of dreams in Node and Python, each with its picture, beside the simulator in a headless browser.',
    )
    .option('--world <dir>', 'folder of the world', 'assets/drive')
    .option('--dreams <numbers>', 'how many together', '1,8,32')
    .option('--seconds <n>', 'that each row is measured for', positive, 6)
    .option('--threads <n>', 'threads inside one run', positive, 2)
    .option('--python <path>', 'a Python with the packages of clients/python', '.venv/bin/python')
    .option('--against <id>', 'another environment of Gymnasium that this Python has, like CarRacing-v3')
    .action(main)
}
