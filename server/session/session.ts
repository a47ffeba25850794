import type { TimeSource } from '../../src/engine/clock'
import { type Action, type ActionSpace, spaceOf } from '../../src/engine/controls'
import { BadInputError, NotReadyError, OneiroError } from '../../src/engine/errors'
import { TaskQueue } from '../../src/engine/task-queue'
import type { Prompt } from '../../src/engine/world'
import { type RefusalCode, ServerRefusedError } from '../../src/net/protocol/errors'
import type { ClientMessage, FrameFormat, Hello, Mode, ServerMessage } from '../../src/net/protocol/messages'
import { encodeServer } from '../../src/net/protocol/wire'
import type { Embedded, Engine, Picture } from '../engine/engine'
import { isDropped } from '../engine/words'
import type { Meters } from '../monitoring/meters'
import type { Channel, Peer } from './connection'
import { AT_ONCE, Frames } from './frames'
import type { Held, InFlight, Step } from './in-flight'
import { Replies } from './replies'
import type { Saved } from './saved'
import type { Schedulable, Scheduler, Ticked, TickInput } from './scheduler'
import { type Effect, type SessionEvent, type SessionState, transition } from './session-states'
import type { Spectator } from './spectator'
import { type Subflow, Subflows } from './subflow'

export interface SessionOptions {
  readonly id: string
  readonly engine: Engine
  readonly scheduler: Pick<Scheduler, 'add' | 'remove' | 'request' | 'spare'>
  readonly time: TimeSource
  readonly meters: Meters
  /** Told of every change of state. */
  readonly onState: (session: Session, before: SessionState) => void
  /** A drive begins, by a reset or a snapshot. */
  readonly onBegun?: (session: Session) => void
  /** Told of what is no fault of the client. */
  readonly onError: (error: unknown) => void
}

export const RELEASE_KEYS_MS = 2_000
export const RESUME_MS = 60_000
/** Requests of one client that may wait or be under way. */
export const MOST_REQUESTS = 8

type Request = Exclude<ClientMessage, { type: 'hello' | 'action' | 'ack' | 'heartbeat' | 'bye' }>

/** One client's drive: what it holds, what it is owed, and how far behind it is. The dream itself is the engine's. */
export class Session implements Schedulable, Peer {
  readonly id: string
  private current: SessionState = 'connecting'
  private line: Channel | null = null
  private format: FrameFormat = 'latents'
  private mode: Mode = 'lockstep'
  /** 0 before the first reset. */
  private epoch = 0
  /** Of the drive before this worker had it; the engine's own epochs begin at 1. */
  private epochsBefore = 0
  /** Grows with whatever makes a snapshot old. */
  changes = 0
  private readonly frames: Frames
  private readonly audience = new Set<Spectator>()
  /** Who is yet to be shown where the drive is; one picture of it is made at a time. */
  private readonly unshown = new Set<Spectator>()
  private showing = false
  private readonly subflows = new Subflows()
  private readonly space: ActionSpace
  private held: Held
  private heardAtMs = 0
  private detachedAtMs = 0
  private readonly replies = new Replies(MOST_REQUESTS)
  /** Requests, in the order in which they came. */
  private readonly commands = new TaskQueue()
  /** What changes the drive, and what writes it down; words are encoded outside. */
  private readonly changing = new TaskQueue()
  /** Told when somebody is connected again, or the session ends. */
  private returns: (() => void)[] = []
  private waiting = 0
  private step: Step | null = null
  private inEngine: InFlight | null = null

  constructor(private readonly options: SessionOptions) {
    this.id = options.id
    this.space = spaceOf(options.engine.served.world.controls)
    this.held = { action: this.space.idle, sequence: 0, sentAtMs: 0 }
    this.frames = new Frames(options.meters)
  }

  get state(): SessionState {
    return this.current
  }

  get realtime(): boolean {
    return this.current === 'active' && this.mode === 'realtime' && this.epoch > 0
  }

  get playing(): boolean {
    return this.epoch > 0
  }

  /** Stays connecting, until there is a seat. */
  wait(line: Channel): void {
    this.line = line
  }

  /** A first connection, or one that takes the session up again. What was under way to the one before is forgotten. */
  attach(line: Channel, hello: Hello, format: FrameFormat): void {
    this.apply(this.current === 'connecting' ? 'welcomed' : 'resumed')
    this.subflows.close(null)
    this.line = line
    this.format = format
    this.mode = hello.mode
    this.frames.forget()
    this.heardAtMs = this.options.time.now()
  }

  /** A connection is gone; one that the session has left already is not its own any more. */
  detach(line: Channel): void {
    if (this.line !== line) return
    this.line = null
    this.subflows.close(null)
    this.apply('dropped')
  }

  /** A further connection of its player, whose format is that of the first. Throws a refusal where there are enough. */
  branch(line: Channel): { readonly subflow: Subflow; readonly format: FrameFormat } {
    return { subflow: this.subflows.add(this, line), format: this.format }
  }

  end(event: 'left' | 'ended', code: RefusalCode | null = null): void {
    this.apply(event, code)
  }

  /** Does what time asks for. */
  sweep(nowMs: number): void {
    if (this.current === 'active' && nowMs - this.heardAtMs >= RELEASE_KEYS_MS) this.releaseKeys()
    if (this.current === 'detached' && nowMs - this.detachedAtMs >= RESUME_MS) this.apply('expired')
  }

  /** Who waits for a seat may only show that it is there. */
  mayCome(type: ClientMessage['type']): boolean {
    return this.current !== 'connecting' || type === 'heartbeat' || type === 'bye'
  }

  handle(message: Exclude<ClientMessage, { type: 'hello' }>): void {
    switch (message.type) {
      case 'action':
        this.heardAtMs = this.options.time.now()
        this.hold(message)
        return
      case 'ack':
        this.frames.acknowledge(message.sequence)
        return
      case 'heartbeat':
        this.heardAtMs = this.options.time.now()
        this.send({ type: 'pong', echoMs: message.sentAtMs })
        return
      case 'bye':
        this.end('left')
        return
      default:
        this.request(message)
    }
  }

  /** All that another worker needs to go on, between two requests. A request whose words are being encoded is none yet. */
  saved(): Promise<Saved> {
    return this.changing.run(() => this.savedNow())
  }

  /** The same where no tick is computed any more; requests that wait for one are carried out by the other worker. */
  async savedNow(): Promise<Saved> {
    const snapshot = this.playing ? await this.options.engine.snapshot(this.id) : null
    return { snapshot, epoch: this.epoch, ...this.replies.saved }
  }

  /** Goes on with a session that another worker had. Requests wait until its drive is here. */
  failover({ snapshot, epoch, request, answers }: Saved): void {
    this.replies.failover(request, answers)
    if (!snapshot) return
    this.epochsBefore = epoch - 1
    const goOn = async () => this.took(await this.options.engine.restore(this.id, snapshot, this.format))
    this.commands
      .run(() => this.changing.run(goOn))
      .catch((error: unknown) => {
        this.options.onError(error)
        this.end('ended', 'SERVER_FAILED')
      })
  }

  /** Somebody watches from now on, and is shown at once where the drive is. */
  watch(spectator: Spectator): void {
    this.audience.add(spectator)
    if (this.playing) void this.showTo([spectator])
  }

  unwatch(spectator: Spectator): void {
    this.audience.delete(spectator)
  }

  /** Throws `BadInputError` where this world has no such action. */
  private hold({ code, sequence, sentAtMs }: Extract<ClientMessage, { type: 'action' }>): void {
    const action = this.space.action(code)
    if (sequence > this.held.sequence) this.held = { action, sequence, sentAtMs }
  }

  send(message: ServerMessage): void {
    this.line?.send(encodeServer(message))
  }

  tickInput(): TickInput | null {
    if (!this.step && !this.realtime) return null
    const cause = this.step ?? this.held
    // Who asked for a step has room for its answer.
    const own = this.step !== null || this.frames.hasRoom()
    const audience = [...this.audience].filter((spectator) => spectator.hasRoom())
    this.inEngine = { cause, own, audience }
    this.step = null
    const formats = new Set([...(own ? [this.format] : []), ...audience.map(({ format }) => format)])
    return { action: cause.action, formats: [...formats] }
  }

  ticked(ticked: Ticked): void {
    if (!this.inEngine) return
    const { cause, own, audience } = this.inEngine
    this.inEngine = null
    this.changes++
    if ('done' in cause) cause.done(ticked)
    else if (own && this.current === 'active') {
      const picture = this.pictureOf(ticked, this.format)
      if (picture?.epoch === this.epoch) {
        const bytes = this.frames.encode(0, picture, cause.sentAtMs, ticked)
        this.line?.send(bytes)
        this.subflows.send(bytes)
      }
    }
    for (const spectator of audience) {
      const picture = this.pictureOf(ticked, spectator.format)
      if (picture) spectator.show(picture, ticked)
    }
  }

  failed(error: unknown): void {
    const cause = this.inEngine?.cause
    this.inEngine = null
    if (cause && 'failed' in cause) cause.failed(error)
    else {
      this.options.onError(error)
      this.end('ended', 'SERVER_FAILED')
    }
  }

  private request(message: Request): void {
    const { request } = message
    if (!this.replies.isNew(request)) {
      const answer = this.replies.of(request)
      if (answer) this.line?.send(answer)
      return
    }
    if (this.waiting >= MOST_REQUESTS) {
      this.answer(request, this.refusal(request, new ServerRefusedError('BUSY', BUSY)), false)
      return
    }
    this.waiting++
    void this.commands.run(async () => {
      const told = await this.withWords(message).catch((error: unknown) => ({ error }))
      await this.changing.run(async () => {
        const answer = 'error' in told ? Promise.reject(told.error) : this.carryOut(told)
        const bytes = await answer.catch((error: unknown) => this.refusal(request, error))
        this.waiting--
        this.answer(request, bytes)
      })
    })
  }

  /** The request with its words encoded, so that it changes the drive at once. */
  private async withWords(message: Request): Promise<Request> {
    if (message.type === 'prompt') {
      return this.playing ? { ...message, body: await this.embedded(message.body) } : message
    }
    if (message.type === 'restore') {
      const { prompt } = message.body
      if (!prompt || prompt.embedding) return message
      return { ...message, body: { ...message.body, prompt: await this.embedded({ text: prompt.text }) } }
    }
    if (message.type !== 'reset' || message.body.prompt === undefined) return message
    const { prompt } = message.body
    const words = typeof prompt === 'string' ? { text: prompt } : prompt
    return { ...message, body: { ...message.body, prompt: await this.embedded(words) } }
  }

  /** Words of somebody who is not there wait, so that those of others do not wait for them. */
  private async embedded({ text, embedding }: Prompt): Promise<Embedded> {
    if (embedding) return { text, embedding }
    for (;;) {
      if (this.current === 'detached') await new Promise<void>((resolve) => this.returns.push(resolve))
      if (this.current === 'closed') throw new ServerRefusedError('SESSION_GONE', ENDED)
      try {
        return await this.options.engine.embed(this.id, text)
      } catch (error) {
        if (!isDropped(error)) throw error
      }
    }
  }

  private answer(request: number, answer: Uint8Array, inOrder = true): void {
    this.replies.keep(request, answer, inOrder)
    this.changes++
    this.line?.send(answer)
  }

  private async carryOut(message: Request): Promise<Uint8Array> {
    if (this.current === 'closed') throw new ServerRefusedError('SESSION_GONE', ENDED)
    const { engine, scheduler } = this.options
    const { request } = message
    // Who begins for the first time does not wait.
    if (this.playing && (message.type === 'reset' || message.type === 'restore')) await scheduler.spare()
    switch (message.type) {
      case 'reset':
        return await this.begun(request, await engine.reset(this.id, message.body, this.format))
      case 'restore':
        return await this.begun(request, await engine.restore(this.id, message.body, this.format))
      case 'prompt': {
        if (!this.playing) throw new NotReadyError('setPrompt')
        const { text, embedding } = message.body
        const { tick } = await engine.setPrompt(this.id, { text, embedding })
        return encodeServer({ type: 'heard', request, tick: tick ?? 0 })
      }
      case 'snapshot':
        if (!this.playing) throw new NotReadyError('snapshot')
        return encodeServer({ type: 'state', request, body: await engine.snapshot(this.id) })
      case 'mode':
        this.mode = message.mode
        return encodeServer({ type: 'result', request })
      case 'step': {
        const { format } = this
        const ticked = await this.stepped(this.space.action(message.code), message.sentAtMs)
        const picture = this.pictureOf(ticked, format)
        if (!picture) throw new ServerRefusedError('SESSION_GONE', 'The session ended in this tick.')
        return this.frames.encode(request, picture, message.sentAtMs, ticked)
      }
    }
  }

  private stepped(action: Action, sentAtMs: number): Promise<Ticked> {
    if (!this.playing) throw new NotReadyError('step')
    if (this.mode === 'realtime') throw new BadInputError(NO_STEPS)
    return new Promise((done, failed) => {
      this.step = { action, sentAtMs, done, failed }
      this.options.scheduler.request(this)
    })
  }

  private async begun(request: number, begun: Picture): Promise<Uint8Array> {
    return this.frames.encode(request, await this.took(begun), 0, AT_ONCE)
  }

  /** The engine has the drive, from this picture on. */
  private async took(begun: Picture): Promise<Picture> {
    // It ended while its words were encoded, say, and the engine has just made it anew.
    if (this.current === 'closed') await this.options.engine.free(this.id)
    const picture = this.placed(begun)
    this.epoch = picture.epoch
    this.changes++
    this.options.onBegun?.(this)
    this.releaseKeys()
    void this.showTo(this.audience)
    return picture
  }

  /** A picture of the engine in the session's epochs. */
  private placed(picture: Picture): Picture {
    return { ...picture, epoch: picture.epoch + this.epochsBefore }
  }

  private pictureOf({ pictures }: Ticked, format: FrameFormat): Picture | undefined {
    const picture = pictures.find((one) => one.format === format)
    return picture && this.placed(picture)
  }

  /** Shows where the drive is, without a tick: to who comes, and to all where it began anew. */
  private async showTo(spectators: Iterable<Spectator>): Promise<void> {
    for (const spectator of spectators) this.unshown.add(spectator)
    if (this.showing) return
    this.showing = true
    while (this.unshown.size > 0) {
      await this.options.scheduler.spare()
      const spectators = [...this.unshown].filter((one) => this.audience.has(one) && one.hasRoom())
      this.unshown.clear()
      if (spectators.length > 0) await this.showNow(spectators)
    }
    this.showing = false
  }

  /** One picture for each format. Of a drive that has begun anew meanwhile, the newer one comes next. */
  private async showNow(spectators: readonly Spectator[]): Promise<void> {
    try {
      const formats = new Set(spectators.map(({ format }) => format))
      for (const made of await this.options.engine.show(this.id, [...formats])) {
        const picture = this.placed(made)
        for (const one of spectators) {
          if (one.format === picture.format && this.audience.has(one)) one.show(picture, AT_ONCE)
        }
      }
    } catch (error) {
      // A session that ended meanwhile has told its spectators already.
      if (this.current !== 'closed') this.options.onError(error)
    }
  }

  private refusal(request: number, error: unknown): Uint8Array {
    const known = error instanceof OneiroError
    if (!known) this.options.onError(error)
    const body = known
      ? { code: error.code, message: error.message.slice(0, 2000) }
      : { code: 'SERVER_FAILED', message: 'The server failed at this. Try again; its log says why.' }
    return encodeServer({ type: 'error', request, body })
  }

  /** The sequence stays, so that an action which was overtaken is still known to be old. */
  private releaseKeys(): void {
    this.held = { action: this.space.idle, sequence: this.held.sequence, sentAtMs: 0 }
  }

  private apply(event: SessionEvent, code: RefusalCode | null = null): void {
    const before = this.current
    const { state, effects } = transition(before, event)
    this.current = state
    if (state === 'detached') {
      this.detachedAtMs = this.options.time.now()
      void this.options.engine.hush(this.id).catch(this.options.onError)
    } else for (const back of this.returns.splice(0)) back()
    for (const effect of effects) this.carry(effect, event === 'resumed' ? 'SESSION_TAKEN' : code)
    if (state !== before) this.options.onState(this, before)
  }

  private carry(effect: Effect, code: RefusalCode | null): void {
    const { scheduler, engine, onError } = this.options
    switch (effect) {
      case 'take-seat':
        scheduler.add(this)
        return
      case 'release-keys':
        this.releaseKeys()
        return
      case 'drop-connection': {
        const { line } = this
        this.line = null
        line?.close(code)
        this.subflows.close(null)
        return
      }
      case 'free':
        scheduler.remove(this.id)
        this.step?.failed(new ServerRefusedError('SESSION_GONE', ENDED))
        this.step = null
        for (const spectator of [...this.audience]) spectator.end(code ?? 'SESSION_GONE')
        void engine.free(this.id).catch(onError)
    }
  }
}

const ENDED = 'The session has ended.'
const BUSY = `At most ${MOST_REQUESTS} requests of a session may be under way. Wait for the answers before asking again.`
const NO_STEPS =
  'A session in real time ticks by itself, but a step was asked for. Ask for the mode "lockstep" first.'
