/** `npm run bench -- serve`: what the server holds, what a session costs, what a frame weighs. */
import { setTimeout as sleep } from 'node:timers/promises'
import { Command, InvalidArgumentError, Option } from 'commander'
import { fromUser } from '../scripts/lib/paths.mjs'
import { type Manifest, parseManifest } from '../src/model/assets/manifest'
import { folderOnDisk } from '../src/model/node'
import { FORMATS, type FrameFormat } from '../src/net/protocol/messages'
import { HERE, isInside, LINK_PORT, type LinkOptions, runInside, SlowLink, THERE, whyNoLink } from './link'
import { circumstances, positive, writeReport } from './report'
import { ServerChild } from './serve-child'
import { BenchClient } from './serve-client'
import { type Cost, costBetween, type ServeSummary, summariseServe, table } from './serve-stats'
import { percentile } from './summary'

interface Flags {
  world: string
  sessions?: number[]
  seconds: number
  warmUp: number
  threads: number
  format: FrameFormat
  link?: true
  rtt: number
  rate: number
  loss: number
  json?: string
}

type Mode = 'batched' | 'unbatched'
/** Over a bad link. */
interface LinkRow {
  readonly roundTripMs: number
  /** At the end; more than one a session where packets got lost. */
  readonly connections: number
  readonly wantedAgeMs: number
  readonly kept: boolean
}
type Row = ServeSummary & Cost & { readonly mode: Mode; readonly held: boolean }

/** A session is held where its rate is kept and 99 of 100 frames come so close to their time. */
const HELD = { rate: 0.99, deviationMs: 10 }
const FIRST_SEED = 1_000_000
/** Ticks over the round trip that a frame may be old when it arrives over a bad link. */
const AGE_TICKS = 3
/** The only secret of a server that lives for a minute in a namespace of its own. */
const LINK_TOKEN = 'a-token-for-the-bench'

interface Measuring {
  readonly url: string
  readonly sessions: number
  readonly format: FrameFormat
  readonly token?: string
  /** At the beginning and at the end of what is measured. */
  readonly onEdge?: () => Promise<void>
}

class Bench {
  private readonly periodMs: number

  constructor(
    private readonly flags: Flags,
    private readonly manifest: Manifest,
  ) {
    this.periodMs = 1000 / manifest.ticksPerSecond
  }

  /** Lets clients play, and gives what they saw after the warm-up. */
  async measure({ url, sessions, format, token, onEdge = async () => {} }: Measuring) {
    const clients: BenchClient[] = []
    const { periodMs } = this
    const decoderHash = this.manifest.modelHash
    try {
      for (let i = 0; i < sessions; i++) {
        const seed = FIRST_SEED + i
        clients.push(await BenchClient.open({ url, format, decoderHash, seed, token, periodMs }))
      }
      await sleep(this.flags.warmUp * 1000)
      await onEdge()
      for (const client of clients) client.clear()
      await sleep(this.flags.seconds * 1000)
      const seen = clients.map(({ arrivals }) => arrivals)
      const connections = clients.reduce((sum, client) => sum + client.connections, 0)
      const roundTripMs = percentile(
        clients.map((client) => client.roundTripMs),
        0.5,
      )
      await onEdge()
      return { summary: summariseServe(seen, periodMs), roundTripMs, connections }
    } finally {
      for (const client of clients) client.close()
    }
  }

  /** One row of the growth. */
  async row(server: ServerChild, mode: Mode, sessions: number, format: FrameFormat): Promise<Row> {
    const edges: { runs: Awaited<ReturnType<ServerChild['runs']>>; cpuMs: number | null }[] = []
    const { summary } = await this.measure({
      url: `ws://localhost:${server.port}`,
      ...{ sessions, format },
      onEdge: async () => void edges.push({ runs: await server.runs(), cpuMs: server.cpuMs() }),
    })
    const [before, after] = edges as [(typeof edges)[0], (typeof edges)[0]]
    const cpuMs = before.cpuMs === null || after.cpuMs === null ? null : after.cpuMs - before.cpuMs
    return { mode, held: this.holds(summary), ...summary, ...costBetween(before.runs, after.runs, cpuMs) }
  }

  serverArgs(sessions: number): string[] {
    const { world, threads } = this.flags
    return ['--world', world, '--threads', String(threads), '--max-sessions', String(sessions)]
  }

  get ticksPerSecond(): number {
    return this.manifest.ticksPerSecond
  }

  private holds({ ticksPerSecond, deviationMs }: ServeSummary): boolean {
    return ticksPerSecond >= HELD.rate * this.ticksPerSecond && deviationMs.p99 <= HELD.deviationMs
  }
}

async function benchGrowth(bench: Bench, { sessions = GROWTH, format, ...flags }: Flags): Promise<void> {
  const most = Math.max(...sessions)
  const start = (batch: number) =>
    ServerChild.start([...bench.serverArgs(most), '--port', '0', '--max-batch', String(batch)])
  console.error('Starting two servers, one that computes sessions together and one that does not ...')
  const servers: [Mode, ServerChild][] = [['batched', await start(most)]]
  const growth: Row[] = []
  const formats: Record<string, ServeSummary['frameBytes']> = {}
  try {
    servers.push(['unbatched', await start(1)])
    for (const count of sessions) {
      for (const [mode, server] of servers) {
        console.error(`  ${mode}, ${count} session${count === 1 ? '' : 's'} ...`)
        growth.push(await bench.row(server, mode, count, format))
      }
    }
    for (const each of FORMATS) {
      console.error(`  one session in ${each} ...`)
      formats[each] = (await bench.row(servers[0]![1], 'batched', 1, each)).frameBytes
    }
  } finally {
    await Promise.all(servers.map(([, server]) => server.stop()))
  }
  console.log(growthTable(growth))
  for (const mode of ['batched', 'unbatched'] as const) {
    const held = growth.filter((row) => row.mode === mode && row.held).map((row) => row.sessions)
    const rate = `${bench.ticksPerSecond} ticks/s with p99 of the tick deviation up to ${HELD.deviationMs} ms`
    console.log(
      `${mode}: ${held.length === 0 ? 'no count' : `${Math.max(...held)} sessions`} held at ${rate}`,
    )
  }
  console.log(
    `bytes a frame, mean (most): ${Object.entries(formats)
      .map(([name, { mean, most }]) => `${name} ${mean} (${most})`)
      .join(', ')}`,
  )
  if (flags.json) await writeReport(flags.json, { ...circumstances(), format, growth, formats })
}

function growthTable(rows: readonly Row[]): string {
  const heading = ['mode', 'sessions', 'ticks/s', 'off p50', 'p95', 'p99 ms', 'held', 'age p50', 'p99 ms']
  const costs = ['skipped', 'in a run', 'run ms', 'ms/tick', 'cpu ms/tick']
  const cells = rows.map((row) => [
    ...[row.mode, row.sessions, row.ticksPerSecond],
    ...[row.deviationMs.p50, row.deviationMs.p95, row.deviationMs.p99, row.held ? 'yes' : 'no'],
    ...[row.ageMs?.p50 ?? '', row.ageMs?.p99 ?? '', `${Math.round(row.skipped * 100)} %`],
    ...[row.batch, row.runMs, row.msPerTick, row.cpuMsPerTick ?? ''],
  ])
  return table([[...heading, ...costs], ...cells.map((row) => row.map(String))])
}

async function benchLink(bench: Bench, flags: Flags): Promise<void> {
  const { rtt, rate, loss, format, json } = flags
  const options: LinkOptions = { rtt, rate, loss }
  const most = Math.max(...(flags.sessions ?? [1]))
  const link = await SlowLink.start(options)
  const rows: (ServeSummary & LinkRow)[] = []
  try {
    const where = ['--host', HERE, '--port', String(LINK_PORT), '--token', LINK_TOKEN, '--allow-host', THERE]
    const server = await ServerChild.start([...bench.serverArgs(most), ...where])
    try {
      for (const sessions of flags.sessions ?? [1]) {
        console.error(`  ${sessions} session${sessions === 1 ? '' : 's'} over the link ...`)
        const url = `ws://${THERE}:${LINK_PORT}`
        const measured = await bench.measure({ url, sessions, format, token: LINK_TOKEN })
        const { summary, connections } = measured
        const roundTripMs = Math.round(measured.roundTripMs)
        const wantedAgeMs = rtt + (AGE_TICKS * 1000) / bench.ticksPerSecond
        const kept = summary.ageMs !== null && summary.ageMs.p99 <= wantedAgeMs
        rows.push({ ...summary, roundTripMs, connections, wantedAgeMs, kept })
      }
    } finally {
      await server.stop()
    }
  } finally {
    link.stop()
  }
  console.log(`link: ${rate} Mbit/s, round trip ${rtt} ms, ${loss} % loss, each way`)
  const heading = [
    'sessions',
    'connections',
    'ticks/s',
    'frames',
    'age p50',
    'p99 ms',
    'wanted',
    'kept',
    'skipped',
    'bytes',
    'ping ms',
  ]
  const cells = rows.map((row) =>
    [
      ...[
        row.sessions,
        row.connections,
        row.ticksPerSecond,
        row.frames,
        row.ageMs?.p50 ?? '',
        row.ageMs?.p99 ?? '',
      ],
      ...[row.wantedAgeMs, row.kept ? 'yes' : 'no', `${Math.round(row.skipped * 100)} %`],
      ...[row.frameBytes.mean, row.roundTripMs],
    ].map(String),
  )
  console.log(table([heading, ...cells]))
  if (json) await writeReport(json, { ...circumstances(), format, link: options, rows })
}

const GROWTH = [1, 2, 4, 8, 16, 32, 64]

async function main(flags: Flags): Promise<void> {
  if (flags.link && !isInside()) {
    const reason = whyNoLink()
    if (reason === null) process.exitCode = await runInside()
    else {
      console.log(`Skipped: ${reason}.`)
      if (flags.json) await writeReport(flags.json, { ...circumstances(), skipped: reason })
    }
    return
  }
  const manifest = parseManifest(new TextDecoder().decode(await folderOnDisk(flags.world).read('world.json')))
  const bench = new Bench(flags, manifest)
  await (flags.link ? benchLink(bench, flags) : benchGrowth(bench, flags))
}

function counts(text: string): number[] {
  return text.split(',').map((part) => positive(part.trim()))
}

function fraction(text: string): number {
  const value = Number(text)
  if (!(value >= 0)) throw new InvalidArgumentError('A number from 0 on was expected.')
  return value
}

const HELP = `
Starts the real server (npm run serve) as a process of its own and plays in it with clients in this one, which send an
input every tick, acknowledge every frame and decode none. For each number of sessions, batched (all that are due in one
forward pass) beside unbatched (each alone), in the same run:
  ticks/s      of the slowest session
  off          how far frames came from an even grid of ticks: a session that is too slow leaves it
  held         99 % of the rate, and 99 of 100 frames within ${HELD.deviationMs} ms of their time
  age          from when the newest input in a frame was sent to when the frame arrived
  skipped      frames that were not sent, as three were on their way
  in a run     sessions computed together; run ms, and ms/tick: that for each of them
  cpu ms/tick  processor time of the whole server for each session's tick
and then the bytes of a frame, its header included, in each format.

--link plays over a bad link instead: a network namespace with a TUN device (root, iproute2, python3), packets held back,
queued and lost by bench/link.py. Says so and ends with 0 where the machine has no such thing.`

export function serveCommand(): Command {
  return new Command('serve')
    .description('Sessions that the server holds at the full rate, what they cost, and what frames weigh.')
    .option('--world <dir>', 'folder of the world', fromUser, 'assets/drive')
    .option('--sessions <list>', `numbers of sessions (default: ${GROWTH.join(',')}; with --link 1)`, counts)
    .option('--seconds <n>', 'measured for each number', positive, 20)
    .option('--warm-up <n>', 'seconds played before', positive, 5)
    .option('--threads <n>', 'threads inside one forward pass', positive, 2)
    .addOption(new Option('--format <name>', 'how pictures travel').choices(FORMATS).default('latents'))
    .option('--link', 'over a slow link that loses packets')
    .option('--rtt <ms>', 'round trip of the link, half of it each way', fraction, 150)
    .option('--rate <mbit>', 'Mbit/s of the link, each way', fraction, 1)
    .option('--loss <percent>', 'packets that the link loses, each way', fraction, 2)
    .option('--json <file>', 'where the report is written', fromUser)
    .addHelpText('after', HELP)
    .action(main)
}
