import { randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import { systemTime, type TimeSource } from '../src/engine/clock'
import { BadInputError } from '../src/engine/errors'
import { MAX_MESSAGE_BYTES } from '../src/net/protocol/wire'
import type { SessionDirectory, Worker } from './cluster/directory'
import { MemoryDirectory } from './cluster/memory-directory'
import type { Engine } from './engine/engine'
import { type GateOptions, gateOf, hostName, isLoopback, type Reach, whyRefused } from './http/gate'
import { Pages } from './http/http'
import { MOST_STRANGERS, type Stranger, Strangers } from './http/strangers'
import { Meters } from './monitoring/meters'
import { type Log, QUIET, RatedLog } from './monitoring/rated-log'
import { Connection } from './session/connection'
import { Scheduler } from './session/scheduler'
import { Secret } from './session/secret'
import { MOST_SUBFLOWS } from './session/subflow'
import { Sessions } from './sessions'

export interface ServeOptions extends Reach {
  /** Owned by the server from now on. */
  readonly engine: Engine
  /** 0 takes any that is free. */
  readonly port: number
  /** Seats. Default `SEATS`. */
  readonly maxSessions?: number
  /** Those who may watch, beside the seats. Default `SPECTATORS`. */
  readonly maxSpectators?: number
  /** Asked of every client. Left out, everybody is let in: only on loopback. */
  readonly token?: string
  /** What this worker has in common with others; owned by the server. Left out, it is alone. */
  readonly directory?: (me: Worker) => SessionDirectory
  readonly log?: Log
  /** Lines that the log could not write so far. */
  readonly linesLost?: () => number
  readonly time?: TimeSource
}

export const SEATS = 16
export const SPECTATORS = 32
const SWEEP_MS = 250
/** Websockets of those who have shown a key: who play, watch, wait and come back. */
const websocketsFor = (seats: number, spectators: number) => (2 + MOST_SUBFLOWS) * seats + spectators + 100
/** A message of a megabyte comes in as many pieces at most. */
const MOST_FRAGMENTS = 1024
/** A request is a line and a few headers. */
const REQUEST_MS = 10_000
/** How often Node looks for requests that took longer; by itself, every half minute. */
const REQUEST_CHECK_MS = 1_000

/** A running server. */
export class DreamServer {
  readonly meters = new Meters()
  readonly sessions: Sessions
  private readonly scheduler: Scheduler
  private readonly http: Server
  private readonly sockets: WebSocketServer
  private readonly connections = new Set<Connection>()
  private readonly sweeping = new AbortController()
  private readonly time: TimeSource
  private readonly log: RatedLog
  private readonly strangers: Strangers
  private readonly gate: GateOptions
  private readonly mostConnections: number
  private ready = false
  private ending: Promise<void> | null = null

  private constructor(private readonly options: ServeOptions) {
    const { engine, maxSessions = SEATS, maxSpectators = SPECTATORS, token = null } = options
    const { time = systemTime, log = QUIET } = options
    this.time = time
    this.log = new RatedLog(log, () => time.now())
    this.strangers = new Strangers(() => this.refused('CROWDED', 'a stranger made room for another'))
    this.gate = gateOf(options)
    this.mostConnections = websocketsFor(maxSessions, maxSpectators) + MOST_STRANGERS
    const secret = new Secret(token)
    const { meters } = this
    this.scheduler = new Scheduler(engine, 1000 / engine.served.world.ticksPerSecond, time, (report) => {
      meters.batchSize.observe(report.batch)
      meters.batchMs.observe(report.tookMs)
      meters.queueMs.observe(report.queueMs)
    })
    const onError = (error: unknown) => this.log.error({ err: error }, 'a session failed')
    this.sessions = new Sessions({
      ...{ engine, time, meters, maxSessions, maxSpectators, secret, log: this.log, onError },
      scheduler: this.scheduler,
    })
    this.sockets = new WebSocketServer({
      noServer: true,
      maxPayload: MAX_MESSAGE_BYTES,
      perMessageDeflate: false,
      clientTracking: false,
      maxFragments: MOST_FRAGMENTS,
    })
    const pages = new Pages({
      ...{ gate: this.gate, secret },
      ready: () => this.ready,
      metrics: () => this.measured(),
      keepSeat: () => this.sessions.keepSeat(),
      onRefused: (code) => this.refused(code, 'a request was refused'),
    })
    this.http = createServer(
      {
        requestTimeout: REQUEST_MS,
        headersTimeout: REQUEST_MS,
        connectionsCheckingInterval: REQUEST_CHECK_MS,
      },
      (request, response) => {
        pages.answer(request, response).catch((error: unknown) => {
          this.log.error({ err: error }, 'a request failed')
          response.destroy()
        })
      },
    )
    this.http.on('connection', (socket) => this.strangers.meet(socket))
    this.http.on('upgrade', (request, socket, head) => this.upgrade(request, socket, head))
    this.http.on('clientError', (_error, socket) => socket.destroy())
  }

  /** Listens and plays. Throws `BadInputError` where it would stand open to a network without a token. */
  static async start(options: ServeOptions): Promise<DreamServer> {
    if (!isLoopback(options.host) && !options.token) {
      throw new BadInputError(
        `On the address ${options.host} others can reach the server, so it needs a token. Pass a token, or listen on localhost.`,
      )
    }
    const server = new DreamServer(options)
    await new Promise<void>((resolve, reject) => {
      server.http.once('error', reject)
      server.http.listen(options.port, options.host, () => resolve())
    })
    try {
      await server.enter()
    } catch (error) {
      server.http.close()
      throw error
    }
    server.ready = true
    server.scheduler.start()
    void server.sweep()
    void options.engine.lost.then((error) => {
      server.ready = false
      server.log.error({ err: error }, 'the engine is lost')
    })
    return server
  }

  /** Joins the other workers, where there can be any. */
  private async enter(): Promise<void> {
    const { host, maxSessions: slots = SEATS, publicUrl, directory } = this.options
    const url = publicUrl ?? `ws://${hostName(host)}:${this.port}`
    const me = { id: randomBytes(9).toString('base64url'), url, slots }
    await this.sessions.group.enter(directory?.(me) ?? new MemoryDirectory(me), me)
  }

  get port(): number {
    return (this.http.address() as AddressInfo).port
  }

  /** Open websockets, for tests that none is left. */
  get openConnections(): number {
    return this.connections.size
  }

  /** Tells every client where its drive is, ends all sessions and frees everything. Idempotent. */
  close(): Promise<void> {
    this.ending ??= this.end()
    return this.ending
  }

  private async end(): Promise<void> {
    this.ready = false
    const stopped = new Promise((resolve) => this.http.close(resolve))
    await this.sessions.group.drain()
    await this.scheduler.stop()
    await this.sessions.drain()
    this.sweeping.abort()
    for (const connection of this.connections) connection.close('SERVER_DRAINING')
    await this.lastWords()
    for (const connection of this.connections) connection.terminate()
    this.http.closeAllConnections()
    await stopped
    await this.options.engine.close()
    this.log.end()
  }

  /** Lets clients read their goodbye; one that does not is not waited for. */
  private async lastWords(): Promise<void> {
    const untilMs = this.time.now() + 2_000
    while (this.connections.size > 0 && this.time.now() < untilMs) await this.time.sleep(20)
  }

  private async sweep(): Promise<void> {
    const { signal } = this.sweeping
    while (!signal.aborted) {
      const nowMs = this.time.now()
      this.sessions.sweep(nowMs)
      for (const connection of this.connections) connection.sweep(nowMs)
      this.log.sweep(nowMs)
      await this.time.sleep(SWEEP_MS, signal)
    }
  }

  private measured(): Promise<string> {
    const { meters, sessions } = this
    meters.sessions.set({ state: 'active' }, sessions.count('active'))
    meters.sessions.set({ state: 'detached' }, sessions.count('detached'))
    meters.waiting.set(sessions.waiting)
    meters.seatsKept.set(sessions.kept)
    meters.spectators.set(sessions.watching)
    meters.connections.set(this.connections.size)
    meters.strangers.set(this.strangers.size)
    meters.linesLost.set(this.options.linesLost?.() ?? 0)
    const { missedPeriods, overdueTicks } = this.scheduler.stats
    meters.missed.set(missedPeriods)
    meters.overdue.set(overdueTicks)
    return meters.registry.metrics()
  }

  private upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => {})
    const why = whyRefused(request.headers, this.gate)
    if (why) this.turnAway(socket, '403 Forbidden', why)
    else if (!this.ready) this.turnAway(socket, '503 Service Unavailable', 'SERVER_DRAINING')
    else if (this.connections.size >= this.mostConnections) {
      this.turnAway(socket, '503 Service Unavailable', 'TOO_MANY_CONNECTIONS')
    } else this.sockets.handleUpgrade(request, socket, head, (websocket) => this.connect(websocket, socket))
  }

  private turnAway(socket: Duplex, status: string, code: string): void {
    this.refused(code, 'a connection was turned away')
    const body = `${code}\n`
    // It may not hang up by itself.
    socket.once('finish', () => socket.destroy())
    socket.end(
      `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    )
  }

  private refused(code: string, what: string): void {
    this.meters.refusals.inc({ code })
    this.log.warn({ code }, what)
  }

  /** Takes a websocket whose request has passed the gate, and what it is carried by. */
  connect(socket: WebSocket, carrier?: Stranger): void {
    const connection = new Connection({
      socket,
      now: () => this.time.now(),
      onHello: (from, hello) => {
        const { resume, watch } = hello
        const how = { resumed: resume !== undefined, watches: watch !== undefined }
        const joined = () => {
          if (carrier && from.peer) this.strangers.know(carrier)
          this.log.info({ session: from.peer?.id, ...how }, 'a client joined')
        }
        const joining = this.sessions.join(from, hello)
        if (joining) return joining.then(joined)
        joined()
      },
      onMessage: (peer) => this.sessions.confirmToken(peer),
      onClosing: () => {
        if (carrier) this.strangers.meet(carrier)
      },
      onClosed: (from) => {
        this.connections.delete(from)
        this.log.info({ session: from.peer?.id }, 'a connection closed')
      },
      onRefused: (code) => this.refused(code, 'a connection was ended'),
      onError: (error) => this.log.error({ err: error }, 'a connection failed'),
    })
    this.connections.add(connection)
  }
}
