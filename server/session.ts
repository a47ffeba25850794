import { type Action, IDLE } from '../src/engine/action'
import type { TimeSource } from '../src/engine/clock'
import { BadInputError, NotReadyError, OneiroError } from '../src/engine/errors'
import { Serial } from '../src/engine/serial'
import { type RefusalCode, ServerRefusedError } from '../src/net/errors'
import type { ClientMessage, FrameFormat, Hello, Mode, ServerMessage } from '../src/net/messages'
import { encodeServer } from '../src/net/wire'
import type { Engine, Picture } from './engine'
import type { Meters } from './meters'
import { Replies } from './replies'
import type { Scheduler, Ticked, Ticking, Wish } from './scheduler'
import { type Effect, type SessionEvent, type SessionState, transition } from './session-states'

/** A connection, as its session sees it. */
export interface Line {
  send(bytes: Uint8Array): void
  /** Says why, where there is a reason, and closes. */
  close(code: RefusalCode | null): void
}

export interface SessionOptions {
  readonly id: string
  readonly engine: Engine
  readonly scheduler: Pick<Scheduler, 'add' | 'remove' | 'request'>
  readonly time: TimeSource
  readonly meters: Meters
  /** Told of every change of state. */
  readonly onState: (session: Session, before: SessionState) => void
  /** Told of what is no fault of the client. */
  readonly onError: (error: unknown) => void
}

export const RELEASE_KEYS_MS = 2_000
export const RESUME_MS = 60_000
/** Frames that may be on their way to one client. */
export const MOST_UNACKNOWLEDGED = 3
/** Requests of one client that may wait or be under way. */
export const MOST_REQUESTS = 8

type Request = Exclude<ClientMessage, { type: 'hello' | 'action' | 'ack' | 'heartbeat' | 'bye' }>

interface Held {
  readonly action: Action
  readonly sequence: number
  readonly sentAtMs: number
}

interface Step {
  readonly action: Action
  readonly sentAtMs: number
  readonly done: (ticked: Ticked) => void
  readonly failed: (error: unknown) => void
}

const NOTHING_HELD: Held = { action: IDLE, sequence: 0, sentAtMs: 0 }

/** One client's drive: what it holds, what it is owed, and how far behind it is. The dream itself is the engine's. */
export class Session implements Ticking {
  readonly id: string
  private current: SessionState = 'connecting'
  private line: Line | null = null
  private format: FrameFormat = 'latents'
  private mode: Mode = 'lockstep'
  /** 0 before the first reset. */
  private epoch = 0
  private sequence = 0
  private acknowledged = 0
  private skipped = 0
  private held = NOTHING_HELD
  private heardAtMs = 0
  private detachedAtMs = 0
  private readonly replies = new Replies(MOST_REQUESTS)
  private readonly commands = new Serial()
  private waiting = 0
  private step: Step | null = null
  /** What the tick in the engine is for. */
  private inEngine: Step | Held | null = null

  constructor(private readonly options: SessionOptions) {
    this.id = options.id
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
  wait(line: Line): void {
    this.line = line
  }

  /** A first connection, or one that takes the session up again. What was under way to the one before is forgotten. */
  attach(line: Line, hello: Hello, format: FrameFormat): void {
    this.apply(this.current === 'connecting' ? 'welcomed' : 'resumed')
    this.line = line
    this.format = format
    this.mode = hello.mode
    this.acknowledged = this.sequence
    this.heardAtMs = this.options.time.now()
  }

  /** A connection is gone; one that the session has left already is not its own any more. */
  detach(line: Line): void {
    if (this.line !== line) return
    this.line = null
    this.apply('dropped')
  }

  end(event: 'left' | 'ended', code: RefusalCode | null = null): void {
    this.apply(event, code)
  }

  /** Does what time asks for. */
  sweep(nowMs: number): void {
    if (this.current === 'active' && nowMs - this.heardAtMs >= RELEASE_KEYS_MS) this.releaseKeys()
    if (this.current === 'detached' && nowMs - this.detachedAtMs >= RESUME_MS) this.apply('expired')
  }

  handle(message: Exclude<ClientMessage, { type: 'hello' }>): void {
    switch (message.type) {
      case 'action':
        this.heardAtMs = this.options.time.now()
        if (message.sequence > this.held.sequence) this.held = message
        return
      case 'ack':
        if (message.sequence > this.acknowledged) {
          this.acknowledged = Math.min(message.sequence, this.sequence)
        }
        return
      case 'heartbeat':
        this.heardAtMs = this.options.time.now()
        this.send({ type: 'pulse', echoMs: message.sentAtMs })
        return
      case 'bye':
        this.end('left')
        return
      default:
        this.request(message)
    }
  }

  /** Where the drive is; null where it has not begun. */
  async snapshot() {
    return this.playing ? this.options.engine.snapshot(this.id) : null
  }

  send(message: ServerMessage): void {
    this.line?.send(encodeServer(message))
  }

  wish(): Wish | null {
    if (this.step) {
      this.inEngine = this.step
      this.step = null
      return { action: this.inEngine.action, format: this.format }
    }
    if (!this.realtime) return null
    this.inEngine = this.held
    const full = this.sequence - this.acknowledged >= MOST_UNACKNOWLEDGED
    if (full) {
      this.skipped++
      this.options.meters.skipped.inc()
    }
    return { action: this.held.action, format: full ? null : this.format }
  }

  ticked(ticked: Ticked): void {
    const cause = this.inEngine
    this.inEngine = null
    if (cause && 'done' in cause) cause.done(ticked)
    else if (cause && ticked.picture?.epoch === this.epoch && this.current === 'active') {
      this.line?.send(this.frame(0, ticked.picture, cause.sentAtMs, ticked))
    }
  }

  failed(error: unknown): void {
    const cause = this.inEngine
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
      this.answer(request, this.refusal(request, new ServerRefusedError('BUSY', BUSY)))
      return
    }
    this.waiting++
    void this.commands
      .run(() => this.carryOut(message))
      .catch((error: unknown) => this.refusal(request, error))
      .then((answer) => {
        this.waiting--
        this.answer(request, answer)
      })
  }

  private answer(request: number, answer: Uint8Array): void {
    this.replies.keep(request, answer)
    this.line?.send(answer)
  }

  private async carryOut(message: Request): Promise<Uint8Array> {
    if (this.current === 'closed') throw new ServerRefusedError('SESSION_GONE', 'The session has ended.')
    const { engine } = this.options
    const { request } = message
    switch (message.type) {
      case 'reset':
        return this.begun(request, await engine.reset(this.id, message.body, this.format))
      case 'restore':
        return this.begun(request, await engine.restore(this.id, message.body, this.format))
      case 'prompt': {
        if (!this.playing) throw new NotReadyError('setPrompt')
        const { text, embedding } = message.body
        await engine.setPrompt(this.id, embedding ? { text, embedding } : text)
        return encodeServer({ type: 'result', request })
      }
      case 'snapshot':
        if (!this.playing) throw new NotReadyError('snapshot')
        return encodeServer({ type: 'state', request, body: await engine.snapshot(this.id) })
      case 'mode':
        this.mode = message.mode
        return encodeServer({ type: 'result', request })
      case 'step': {
        const ticked = await this.stepped(message.action, message.sentAtMs)
        if (!ticked.picture) throw new ServerRefusedError('SESSION_GONE', 'The session ended in this tick.')
        return this.frame(request, ticked.picture, message.sentAtMs, ticked)
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

  private begun(request: number, picture: Picture): Uint8Array {
    this.epoch = picture.epoch
    this.releaseKeys()
    return this.frame(request, picture, 0, { queueMs: 0, studentMs: 0, batch: 1 })
  }

  private frame(
    request: number,
    { tick, epoch, format, payload, encodeMs }: Picture,
    echoMs: number,
    { queueMs, studentMs, batch }: Omit<Ticked, 'picture'>,
  ): Uint8Array {
    this.options.meters.frames.inc({ format })
    this.options.meters.frameBytes.inc({ format }, payload.length)
    return encodeServer({
      type: 'frame',
      ...{ request, epoch, tick, echoMs, batch, format, payload },
      sequence: ++this.sequence,
      skipped: this.skipped,
      timings: { queue: queueMs, student: studentMs, encode: encodeMs },
    })
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
    this.held = { ...NOTHING_HELD, sequence: this.held.sequence }
  }

  private apply(event: SessionEvent, code: RefusalCode | null = null): void {
    const before = this.current
    const { state, effects } = transition(before, event)
    this.current = state
    if (state === 'detached') this.detachedAtMs = this.options.time.now()
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
        return
      }
      case 'free':
        scheduler.remove(this.id)
        this.step?.failed(new ServerRefusedError('SESSION_GONE', 'The session has ended.'))
        this.step = null
        void engine.free(this.id).catch(onError)
    }
  }
}

const BUSY = `At most ${MOST_REQUESTS} requests of a session may be under way. Wait for the answers before asking again.`
const NO_STEPS =
  'A session in real time ticks by itself, but a step was asked for. Ask for the mode "lockstep" first.'
