/** `npm run serve`: streams a world's dreams to whoever connects. */
import { resolve } from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import { OneiroError } from '../src/engine/errors'
import { askedToEnd } from './asked-to-end'

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

/** A drain that takes longer hangs. */
const LONGEST_DRAIN_MS = 15_000
/** For the last lines of the log, which nobody may read. */
const LAST_LINES_MS = 500

async function main(options: Options): Promise<void> {
  const asked = askedToEnd()
  const { allowHost: hosts, allowOrigin: origins, ...given } = options
  // Here and not above, so that --help and wrong options answer without starting a runtime.
  const [{ pino }, { LogSink }, { serve }] = await Promise.all([
    import('pino'),
    import('./monitoring/log'),
    import('./serve'),
  ])
  const sink = new LogSink()
  const log = pino({}, sink)
  let begun = false
  void asked.then((why) => {
    if (begun) return
    log.info({ why }, 'ended before it served')
    process.exit(0)
  })
  const server = await serve({
    ...given,
    ...{ hosts, origins, log },
    token: options.token ?? process.env.ONEIRO_TOKEN,
    redis: options.redis ?? process.env.ONEIRO_REDIS,
    linesLost: () => sink.lost,
  })

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
  void server.lost.then(() => end('the engine is lost', 1))
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
