/** `npm run bench`: milliseconds per tick by backend and stage, against bare session runs in the same process. */
import { Command, Option } from 'commander'
import { fromUser } from '../scripts/lib/paths.mjs'
import { OneiroError } from '../src/engine/errors'
import { agentsCommand } from './agents'
import { attackCommand } from './attack'
import { forkCommand } from './fork'
import { benchNode } from './node'
import { circumstances, positive, writeReport } from './report'
import { serveCommand } from './serve'
import { percentile, type Summary, summarise } from './summary'
import { benchWasm } from './wasm'
import { benchWebGpu } from './webgpu'

interface Flags {
  world: string
  backend?: 'node' | 'wasm' | 'webgpu'
  software?: boolean
  threads: number
  ticks: number
  warmUp: number
  json?: string
}

function line(backend: string, { tickMs, bareMs, overhead, stages }: Summary): string {
  const parts = Object.entries(stages).map(([stage, ms]) => `${stage} ${ms.toFixed(2)}`)
  return `${backend}: tick p50 ${tickMs.p50.toFixed(2)} ms, p95 ${tickMs.p95.toFixed(2)}, p99 ${tickMs.p99.toFixed(2)}; bare p50 ${bareMs.p50.toFixed(2)} ms, overhead ${(overhead * 100).toFixed(1)} %; ${parts.join(', ')}`
}

async function main(flags: Flags): Promise<void> {
  const { world, threads, ticks, warmUp } = flags
  if (flags.backend === 'webgpu') return gpu(flags)
  const backends: Record<string, Summary & { threads: number }> = {}
  let modelHash = ''
  for (const backend of flags.backend ? [flags.backend] : (['node', 'wasm'] as const)) {
    console.error(`${backend}: ${warmUp} ticks to warm up, then ${ticks}, on ${threads} threads ...`)
    const onTick = (done: number) => {
      if (done % 50 === 0) console.error(`  ${done} of ${ticks}`)
    }
    const run =
      backend === 'node'
        ? await benchNode({ world, threads, ticks, warmUp, onTick })
        : await benchWasm({ world, threads, ticks, warmUp })
    modelHash = run.modelHash
    backends[backend] = { ...summarise(run), threads }
    console.log(line(backend, backends[backend]))
  }
  if (flags.json) await writeReport(flags.json, { ...circumstances(), modelHash, backends })
}

async function gpu({ world, ticks, warmUp, software = false, json }: Flags): Promise<void> {
  const run = await benchWebGpu({ world, ticks, warmUp }, software)
  const [p50, p95, p99] = [0.5, 0.95, 0.99].map((p) => percentile(run.tickMs, p).toFixed(2))
  const what = run.software ? `${run.adapter}; a GPU in software, so this says nothing of one` : run.adapter
  console.log(
    `webgpu (${what}): tick and its frame read back p50 ${p50} ms, p95 ${p95}, p99 ${p99}; queued ${run.queuedMs.toFixed(2)} ms a tick`,
  )
  if (json) await writeReport(json, { ...circumstances(), ...run })
}

const program = new Command('npm run bench --')
  .description(
    'Milliseconds per tick by backend and stage, against bare ONNX session runs in the same process.',
  )
  .option('--world <dir>', 'folder of the world', fromUser, 'assets/drive')
  .addOption(new Option('--backend <name>', 'only this one').choices(['node', 'wasm', 'webgpu']))
  .option('--software', 'with webgpu: on a GPU in software, to try it out')
  .option('--threads <n>', 'threads inside one run', positive, 2)
  .option('--ticks <n>', 'ticks measured', positive, 300)
  .option('--warm-up <n>', 'ticks played before', positive, 60)
  .option('--json <file>', 'where the report is written', fromUser)
  .enablePositionalOptions()
  .action(main)
  .addCommand(serveCommand())
  .addCommand(attackCommand())
  .addCommand(agentsCommand())
  .addCommand(forkCommand())

try {
  await program.parseAsync()
} catch (error) {
  console.error(error instanceof OneiroError ? error.message : error)
  process.exitCode = 1
}
