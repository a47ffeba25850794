import { randomBytes } from 'node:crypto'
import { createRequire } from 'node:module'
import { BadInputError } from '../src/engine/errors'
import { withPackage } from '../src/engine/optional-package'
import { LONGEST_SECRET } from '../src/net/protocol/messages'
import { measuredSeats } from './engine/capacity'
import type { Engine, Served } from './engine/engine'
import { ThreadedEngine } from './engine/engine-client'
import { hostName, isAnywhere } from './http/gate'
import { type Log, QUIET } from './monitoring/rated-log'
import { DreamServer } from './server'

export interface ServerOptions {
  /** Folder of the world; `world.json` lies in it. */
  readonly world: string
  /** Address to listen on. Default `localhost`; any but loopback needs a token. */
  readonly host?: string
  /** Port to listen on; 0 takes any that is free. Default 7700. */
  readonly port?: number
  /** What clients must say to get in, 16 to 200 characters. Left out, everybody is let in: only on loopback. */
  readonly token?: string
  /** Seats; more clients wait in line. Default: as many as this machine plays at the full rate, which is measured. */
  readonly maxSessions?: number
  /** Clients that may watch, beside the seats. Default 32. */
  readonly maxSpectators?: number
  /** Sessions in one forward pass at most; 1 computes each alone. Default 32. */
  readonly maxBatch?: number
  /** Threads inside one forward pass. Default 2. */
  readonly threads?: number
  /** Execution provider of onnxruntime-node, for example `cuda`. Default `cpu`. */
  readonly provider?: string
  /** Further names that the server goes by, for example `dreams.example`. */
  readonly hosts?: readonly string[]
  /** Origins of pages that may connect, beside its own, for example `https://example.org`. */
  readonly origins?: readonly string[]
  /** Address of a Redis that several workers share, for example `redis://localhost:6379`; needs the package ioredis. */
  readonly redis?: string
  /** Where clients reach this worker. Default `ws://HOST:PORT`. */
  readonly publicUrl?: string
  /** Is told what happens; `pino` fits. No prompt, token or frame is ever among it. Default: nobody is told. */
  readonly log?: Log
  /** Lines that the log could not write so far. @internal */
  readonly linesLost?: () => number
}

/** A server that runs. */
export interface RunningServer {
  /** The port that it listens on. */
  readonly port: number
  /** Resolves with the reason if the thread that computes the dreams ends by itself. Close the server then. */
  readonly lost: Promise<Error>
  /** Tells every client where its drive is, ends all sessions and frees everything. Idempotent. */
  close(): Promise<void>
}

/** A token can be tried from afar, so it must be too long to be guessed. */
const SHORTEST_TOKEN = 16

/**
 * Dreams a world in a thread of this process and streams it to whoever connects: browsers, scripts and agents, by
 * `openWorld('ws://localhost:7700')`. The options are those of `npm run serve`. Needs the packages onnxruntime-node and
 * sharp.
 *
 * Rejects with a named error (`OneiroError`): `BAD_INPUT` for a wrong option, `ASSET_MISSING` and its like where the world
 * cannot be loaded, `PACKAGE_MISSING`. A port that is taken rejects with Node's own `EADDRINUSE`.
 *
 * @example
 * const server = await serve({ world: 'assets/drive', port: 7700 })
 * process.once('SIGTERM', () => server.close())
 */
export async function serve(options: ServerOptions): Promise<RunningServer> {
  const { world, host = 'localhost', port = 7700, threads = 2, provider = 'cpu', log = QUIET } = options
  const { token, redis, publicUrl } = options
  checkToken(token)
  if (redis && !publicUrl && isAnywhere(host)) {
    throw new BadInputError(
      `Other workers send clients here, but ${host} is no address to send them to. Say where it is: publicUrl, or --public-url.`,
    )
  }
  const { resolve } = createRequire(import.meta.url)
  for (const name of ['onnxruntime-node', 'sharp']) await withPackage(name, () => resolve(name))
  const directory = redis && (await withPackage('ioredis', () => import('./cluster/redis-directory')))
  log.info({ world, provider }, 'loading the world')
  const maxBatch = Math.min(options.maxSessions ?? Number.POSITIVE_INFINITY, options.maxBatch ?? 32)
  const engine = await ThreadedEngine.open({ world, threads, provider, maxBatch })
  try {
    const server = await DreamServer.start({
      ...{ engine, host, port, token, publicUrl, log },
      ...{ hosts: options.hosts, origins: options.origins, linesLost: options.linesLost },
      maxSessions: options.maxSessions ?? (await seatsFor(engine, log)),
      maxSpectators: options.maxSpectators,
      directory: directory
        ? (me) => new directory.RedisDirectory(redis, groupOf(engine.served), me)
        : undefined,
    })
    log.info({ port: server.port }, `serving ${engine.served.world.id} at ${whereabouts(host, server.port)}`)
    return { port: server.port, lost: engine.lost, close: () => server.close() }
  } catch (error) {
    await engine.close()
    throw error
  }
}

function checkToken(token: string | undefined): void {
  if (token === undefined || (token.length >= SHORTEST_TOKEN && token.length <= LONGEST_SECRET)) return
  throw new BadInputError(
    `A token has ${SHORTEST_TOKEN} to ${LONGEST_SECRET} characters, but one of ${token.length} came. Try ${randomBytes(24).toString('base64url')}`,
  )
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

/** Workers of one model can go on with each other's sessions. */
function groupOf({ world }: Served): string {
  return `${world.id}:${world.modelHash.slice(0, 16)}`
}
