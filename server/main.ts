/** `npm run serve`: streams a world's dreams to whoever connects. */
import { randomBytes } from 'node:crypto'
import { resolve } from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import { BadInputError, OneiroError } from '../src/engine/errors'
import { LONGEST_SECRET } from '../src/net/messages'
import { measuredSeats } from './capacity'
import { askedToEnd } from './ending'
import type { Engine, Served } from './engine'
import { hostName, isAnywhere } from './gate'
import type { Log } from './server'

interface Options {
  world: string
  host: string
  port: number
  token?: string
  maxSessions?: number
  maxSpectators: number
  maxBatch: number
  threads: number
  provider: string
  allowHost: string[]
  allowOrigin: string[]
  redis?: string
  publicUrl?: string
}

/** A token can be tried from afar, so it must be too long to be guessed. */
const SHORTEST_TOKEN = 16

/** A drain that takes longer hangs. */
const LONGEST_DRAIN_MS = 15_000
/** For the last lines of the log, which nobody may read. */
const LAST_LINES_MS = 500

async function main(options: Options): Promise<void> {
  const asked = askedToEnd()
  const { world, host, port, maxSpectators, threads, provider, publicUrl } = options
  const maxBatch = Math.min(options.maxSessions ?? Number.POSITIVE_INFINITY, options.maxBatch)
  const token = options.token ?? process.env.ONEIRO_TOKEN
  if (token !== undefined && (token.length < SHORTEST_TOKEN || token.length > LONGEST_SECRET)) {
    throw new BadInputError(
      `A token has ${SHORTEST_TOKEN} to ${LONGEST_SECRET} characters, but one of ${token.length} came. Try ${randomBytes(24).toString('base64url')}`,
    )
  }
  const redis = options.redis ?? process.env.ONEIRO_REDIS
  if (redis && !publicUrl && isAnywhere(host)) {
    throw new BadInputError(
      `Other workers send clients here, but ${host} is no address to send them to. Say where it is with --public-url.`,
    )
  }
  // Here and not above, so that --help and wrong options answer without starting a runtime.
  const [{ pino }, { LogSink }, { ThreadedEngine }, { DreamServer }, { RedisDirectory }] = await Promise.all([
    import('pino'),
    import('./log'),
    import('./engine-client'),
    import('./server'),
    import('./redis-directory'),
  ])
  const sink = new LogSink()
  const log = pino({}, sink)
  let begun = false
  void asked.then((why) => {
    if (begun) return
    log.info({ why }, 'ended before it served')
    process.exit(0)
  })
  log.info({ world, provider }, 'loading the world')
  const engine = await ThreadedEngine.open({ world, threads, provider, maxBatch })
  const maxSessions = options.maxSessions ?? (await seatsFor(engine, log))
  const server = await DreamServer.start({
    ...{ engine, host, port, token, maxSessions, maxSpectators, publicUrl, log },
    linesLost: () => sink.lost,
    hosts: options.allowHost,
    origins: options.allowOrigin,
    directory: redis ? (me) => new RedisDirectory(redis, groupOf(engine.served), me) : undefined,
  }).catch(async (error) => {
    await engine.close()
    throw error
  })
  const { id } = engine.served.world
  log.info({ port: server.port }, `serving ${id} at ${whereabouts(host, server.port)}`)

  begun = true
  let ending = false
  const end = async (why: string, status: number) => {
    if (ending) return
    ending = true
    log.info({ why }, 'draining')
    setTimeout(() => {
      log.error({ ms: LONGEST_DRAIN_MS }, 'the drain took too long; ended without it')
      process.exit(1)
    }, LONGEST_DRAIN_MS).unref()
    await server.close()
    log.info({}, 'ended')
    process.exitCode = status
    setTimeout(() => process.exit(), LAST_LINES_MS).unref()
  }
  void asked.then((why) => end(why, 0))
  void engine.lost.then(() => end('the engine is lost', 1))
}

async function seatsFor(engine: Engine, log: Log): Promise<number> {
  const { seats, msPerSession } = await measuredSeats(engine)
  const ms = Math.round(10 * msPerSession) / 10
  log.info({ seats, ms }, 'seats by what a tick of a session costs here; --max-sessions sets another number')
  return seats
}

/** Where clients reach the server, for its log. */
function whereabouts(host: string, port: number): string {
  if (!isAnywhere(host)) return `ws://${hostName(host)}:${port}`
  return `port ${port} of all addresses of this machine; names that lead here are let in with --allow-host`
}

function whole(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 0 || text.trim() === '') {
    throw new InvalidArgumentError('A whole number from 0 on was expected.')
  }
  return value
}

function positive(text: string): number {
  const value = whole(text)
  if (value === 0) throw new InvalidArgumentError('A number from 1 on was expected.')
  return value
}

/** Workers of one model can go on with each other's sessions. */
function groupOf({ world }: Served): string {
  return `${world.id}:${world.modelHash.slice(0, 16)}`
}

function socketUrl(text: string): string {
  const fits = /^wss?:\/\//.test(text) && URL.canParse(text)
  if (!fits) throw new InvalidArgumentError('An address such as ws://worker-1:7700 was expected.')
  return text
}

/** From the folder where it was typed: npm runs commands in the project's own. */
const folder = (path: string) => resolve(process.env.INIT_CWD ?? process.cwd(), path)

const collect = (value: string, all: string[]) => [...all, value]

await new Command('npm run serve --')
  .description('Dream a world here and stream it: browsers, scripts and agents join over a websocket.')
  .option('--world <dir>', 'folder of the world', folder, 'assets/drive')
  .option('--host <address>', 'address to listen on; any but loopback needs a token', 'localhost')
  .option('--port <number>', 'port to listen on; 0 takes any that is free', whole, 7700)
  .option('--token <text>', 'what clients must say to get in (or ONEIRO_TOKEN in the environment)')
  .option(
    '--max-sessions <number>',
    'seats; more clients wait in line (default: as many as this machine plays at the full rate)',
    positive,
  )
  .option('--max-spectators <number>', 'clients that may watch, beside the seats', whole, 32)
  .option('--max-batch <number>', 'sessions in one forward pass at most; 1 computes each alone', positive, 32)
  .option('--threads <number>', 'threads inside one forward pass', positive, 2)
  .option('--provider <name>', 'execution provider of onnxruntime-node', 'cpu')
  .option('--allow-host <name>', 'further name that the server goes by; may be repeated', collect, [])
  .option('--allow-origin <origin>', 'page that may connect, for example https://example.org', collect, [])
  .option(
    '--redis <url>',
    'Redis that workers share, for example redis://localhost:6379 (or ONEIRO_REDIS in the environment); left out, this one is alone',
  )
  .option('--public-url <url>', 'where clients reach this worker (default: ws://HOST:PORT)', socketUrl)
  .addHelpText(
    'after',
    '\n/healthz, /readyz, /metrics and POST /seats answer over HTTP on the same port; the last two ask for the token where there is one. SIGTERM drains. With --redis the sessions of a worker that drains or dies go on at another.\nExit status: 0 after SIGTERM or SIGINT, 1 the engine was lost, 2 it could not start.',
  )
  .action(async (options: Options) => {
    try {
      await main(options)
    } catch (error) {
      const known = error instanceof OneiroError || (error as NodeJS.ErrnoException).code !== undefined
      console.error(known ? (error as Error).message : error)
      process.exitCode = 2
    }
  })
  .parseAsync()
