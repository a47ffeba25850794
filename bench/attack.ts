/** `npm run bench -- attack`: healthy players beside attackers, and what they see of it. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Command } from 'commander'
import { fromUser } from '../scripts/lib/paths.mjs'
import { OneiroError } from '../src/engine/errors'
import { parseManifest } from '../src/model/assets/manifest'
import { folderOnDisk } from '../src/model/node'
import { type Health, HealthyPlayer } from './attack-player'
import { type Attack, fullDisk, heavyWords, refusedSenders, restlessPlayer, silentSockets } from './attacks'
import { circumstances, positive, writeReport } from './report'
import { root, TYPESCRIPT } from './serve-child'
import { table } from './serve-stats'

interface Flags {
  world: string
  server: string
  only?: string
  players: number
  seconds: number
  json?: string
}

const ATTACKS: Record<string, Attack> = {
  'full disk': fullDisk,
  'heavy words': heavyWords,
  'silent sockets': silentSockets,
  'refused senders': refusedSenders,
  'restless player': restlessPlayer,
}
/** The only secret of a server that lives for half a minute on loopback. */
const TOKEN = 'a-token-for-the-bench'
const READY_MS = 120_000
const WARM_UP_MS = 3_000
const END_MS = 20_000

interface Row {
  readonly attack: string
  readonly quiet: Health
  readonly attacked: Health
  readonly seen: Record<string, number | string>
  /** From SIGTERM to the end; null where it did not end. */
  readonly endedMs: number | null
}

/** A server whose log goes to a small disk of its own, or nowhere. */
class Target {
  private constructor(
    private readonly child: ChildProcess,
    readonly port: number,
    private readonly disk: Disk | null,
  ) {}

  static async start(folder: string, args: readonly string[], disk: Disk | null): Promise<Target> {
    const port = await freePort()
    const child = spawn(
      process.execPath,
      [...TYPESCRIPT, 'server/main.ts', ...args, '--port', `${port}`, '--token', TOKEN],
      { cwd: folder, stdio: ['ignore', disk?.file ?? 'ignore', 'inherit'] },
    )
    const untilMs = performance.now() + READY_MS
    const ready = () =>
      fetch(`http://127.0.0.1:${port}/readyz`)
        .then(({ ok }) => ok)
        .catch(() => false)
    while (!(await ready())) {
      if (performance.now() > untilMs || child.exitCode !== null) {
        child.kill('SIGKILL')
        throw new OneiroError(
          'SERVER_CHILD',
          `A server was expected at port ${port}, but none answers there.`,
        )
      }
      await sleep(200)
    }
    return new Target(child, port, disk)
  }

  async end(): Promise<number | null> {
    const startedMs = performance.now()
    const exit = new Promise<boolean>((resolve) => this.child.on('exit', () => resolve(true)))
    this.child.kill('SIGTERM')
    const ended = await Promise.race([exit, sleep(END_MS).then(() => false)])
    this.child.kill('SIGKILL')
    await exit
    this.disk?.free()
    return ended ? Math.round(performance.now() - startedMs) : null
  }
}

/** A file on a disk of 16 kB; needs root. */
class Disk {
  readonly file: number
  private readonly folder = mkdtempSync(join(tmpdir(), 'oneiro-full-'))

  constructor() {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16k', 'tmpfs', this.folder])
    this.file = openSync(join(this.folder, 'log'), 'a')
  }

  fill(): void {
    const other = openSync(join(this.folder, 'other'), 'a')
    try {
      for (;;) writeSync(other, Buffer.alloc(512))
    } catch {
      closeSync(other)
    }
  }

  free(): void {
    closeSync(this.file)
    execFileSync('umount', ['-l', this.folder])
    rmSync(this.folder, { recursive: true })
  }
}

async function measure(name: string, { world, server, players: count, seconds }: Flags): Promise<Row> {
  const manifest = parseManifest(new TextDecoder().decode(await folderOnDisk(world).read('world.json')))
  const disk = ATTACKS[name] === fullDisk ? new Disk() : null
  const args = ['--world', resolve(world), '--max-sessions', '16', '--max-spectators', '40']
  const target = await Target.start(server, args, disk)
  const { port } = target
  const play = { url: `ws://127.0.0.1:${port}`, token: TOKEN, decoderHash: manifest.modelHash }
  const players: HealthyPlayer[] = []
  try {
    for (let i = 0; i < count; i++) players.push(await HealthyPlayer.open(play, i))
    await sleep(WARM_UP_MS)
    for (const player of players) player.begin()
    await sleep((seconds * 1000) / 2)
    const quiet = worst(players)
    disk?.fill()
    for (const player of players) player.begin()
    const over = AbortSignal.timeout(seconds * 1000)
    const attacking = ATTACKS[name]!({ ...play, port, players, over })
    await new Promise((resolve) => over.addEventListener('abort', resolve, { once: true }))
    const attacked = worst(players)
    return { attack: name, quiet, attacked, seen: await attacking, endedMs: await target.end() }
  } catch (error) {
    await target.end()
    throw error
  } finally {
    for (const player of players) player.close()
  }
}

/** Of the player that fared worst. */
function worst(players: readonly HealthyPlayer[]): Health {
  const all = players.map(({ health }) => health)
  return {
    ticksPerSecond: Math.min(...all.map(({ ticksPerSecond }) => ticksPerSecond)),
    worstBeatMs: Math.max(...all.map(({ worstBeatMs }) => worstBeatMs)),
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

function line({ attack, quiet, attacked, seen, endedMs }: Row): string[] {
  const told = Object.entries(seen).map(([what, value]) => `${what}: ${value}`)
  return [
    attack,
    ...[quiet, attacked].flatMap((one) => [one.ticksPerSecond.toFixed(1), one.worstBeatMs.toFixed(0)]),
    endedMs === null ? 'never' : `${endedMs}`,
    told.join(', '),
  ]
}

async function main(flags: Flags): Promise<void> {
  const names = flags.only?.split(',') ?? Object.keys(ATTACKS)
  const rows: Row[] = []
  for (const name of names) {
    if (!ATTACKS[name]) {
      throw new OneiroError(
        'BAD_INPUT',
        `There is no attack "${name}". Choose of ${Object.keys(ATTACKS).join(', ')}.`,
      )
    }
    if (ATTACKS[name] === fullDisk && process.getuid?.() !== 0) {
      console.error(`  ${name}: skipped, as only root may make a small disk`)
      continue
    }
    console.error(`  ${name} ...`)
    rows.push(await measure(name, flags))
  }
  const heading = ['attack', 'ticks/s', 'beat ms', 'attacked: ticks/s', 'beat ms', 'SIGTERM ms', 'and']
  console.log(table([heading, ...rows.map(line)]))
  if (flags.json) await writeReport(flags.json, { ...circumstances(), server: flags.server, rows })
}

const HELP = `
Starts a server for each attack, lets healthy players play beside it, and says how the one that fares worst is doing before
and during it: its ticks a second, and the longest that the answer to a heartbeat took. --server names another checkout
whose server is attacked instead, so that two versions can be compared. Everything is on loopback and ends by itself.
The attacks: ${Object.keys(ATTACKS).join(', ')}.`

export function attackCommand(): Command {
  return new Command('attack')
    .description('What healthy players see of attacks on the server.')
    .option('--world <dir>', 'folder of the world', fromUser, 'assets/drive')
    .option('--server <dir>', 'checkout whose server is attacked', fromUser, root)
    .option('--only <list>', 'these attacks')
    .option('--players <n>', 'healthy players', positive, 2)
    .option('--seconds <n>', 'of each attack', positive, 10)
    .option('--json <file>', 'where the report is written', fromUser)
    .addHelpText('after', HELP)
    .action(main)
}
