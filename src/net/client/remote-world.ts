import { checkedSnapshot, checkPrompt, checkReset } from '../../engine/checks'
import { systemTime, type TimeSource } from '../../engine/clock'
import { type Action, type ActionSpace, spaceOf } from '../../engine/controls'
import { BadInputError, NotReadyError, OneiroError, WorldClosedError } from '../../engine/errors'
import { TaskQueue } from '../../engine/task-queue'
import type { Past } from '../../engine/timeline'
import type {
  Pixels,
  Prompt,
  PromptReceipt,
  ResetOptions,
  Snapshot,
  Telemetry,
  Tick,
  World,
  WorldInfo,
} from '../../engine/world'
import { SNAPSHOT_KINDS } from '../../model/dream/snapshot'
import { ServerRefusedError } from '../protocol/errors'
import type { FrameMessage, Mode, ServerMessage, Welcome } from '../protocol/messages'
import { DriveMemory } from './drive-memory'
import { Epochs } from './epochs'
import { Multipath } from './multipath'
import { Pacer } from './pacer'
import type { Picture } from './pictures'
import type { RemoteEvent, RemoteStats, RemoteWorldOptions } from './remote-options'
import { type Ask, checkBody, frameOf, Requests, stateOf } from './requests'

/** A loop that does not step for so long is paused, and the server need not go on for it. */
const PAUSED_MS = 500

/**
 * A world that another machine computes. Its mode decides how time passes: in `lockstep` every `step` is a question and
 * its answer; in `realtime` the server ticks by itself, `step` passes the newest input on and resolves with the newest
 * frame that was not shown yet.
 *
 * Where frames come as latents, what was seen is kept, and `seek` goes back in it without the server, which hears of it
 * with the first step, words or realtime after it.
 *
 * @example
 * const world = await RemoteWorld.open({ url: 'ws://localhost:7700', WebSocket, pictures, random: Math.random })
 */
export class RemoteWorld implements World, Past {
  private readonly link: Multipath
  private readonly requests: Requests
  private readonly pacer = new Pacer()
  private readonly decoding = new TaskQueue()
  private readonly time: TimeSource
  private welcome: Welcome | null = null
  private watchKey: string | null = null
  private current: Mode
  private paused = false
  private steppedAtMs = 0
  private actions = 0
  private newest: Action | null = null
  private readonly epochs = new Epochs()
  private shown: Picture | null = null
  private parting: Snapshot | null = null
  private readonly memory: DriveMemory | null
  /** Where a seek left the drive, while the server is still at its newest tick; else null. */
  private soughtTick: number | null = null
  private reconnects = 0
  private skipped = 0
  private latencyMs = 0
  private frameBytes = 0
  private failure: OneiroError | null = null
  private closing: Promise<void> | null = null

  private constructor(
    private readonly options: RemoteWorldOptions,
    opened: { resolve(): void; reject(error: Error): void },
  ) {
    const { url, WebSocket, pictures, token, seat, random, time = systemTime, mode = 'lockstep' } = options
    this.time = time
    this.current = mode
    this.memory = pictures.known ? new DriveMemory(pictures.known) : null
    this.link = new Multipath({
      ...{ url, WebSocket, time, random },
      hello: () => ({
        formats: [...pictures.formats],
        mode: this.paused ? 'lockstep' : this.current,
        ...(pictures.decoderHash ? { decoderHash: pictures.decoderHash } : {}),
        ...(token ? { token } : {}),
        ...(seat ? { seat } : {}),
      }),
      onWelcome: (welcome) => {
        const first = this.welcome === null
        this.welcome = welcome
        this.watchKey = welcome.watch ?? this.watchKey
        if (first) opened.resolve()
        else this.reconnected(welcome)
      },
      onMessage: (message) => this.receive(message),
      onWaiting: (position) =>
        this.emit({ type: 'waiting', position, message: `The server is full; you are number ${position}.` }),
      onBeat: () => this.pauseWhenIdle(),
      onDown: () => this.emit({ type: 'disconnected', message: 'The server does not answer. Trying again.' }),
      onGone: () => this.parting !== null,
      onFailed: (error) => {
        if (!this.welcome) opened.reject(error)
        this.fail(error)
      },
    })
    this.requests = new Requests((message) => this.link.send(message))
  }

  /** Connects, and waits for a seat where the server is full. Rejects with what went wrong. */
  static async open(options: RemoteWorldOptions): Promise<RemoteWorld> {
    let world!: RemoteWorld
    await new Promise<void>((resolve, reject) => {
      world = new RemoteWorld(options, { resolve, reject })
      void world.link.run()
    })
    return world
  }

  private get space(): ActionSpace {
    return spaceOf(this.welcome!.world.controls)
  }

  get info(): WorldInfo {
    const { world, format } = this.welcome!
    // An image says nothing of instruments.
    return { ...world, telemetry: format === 'latents' ? world.telemetry : [], kind: 'remote' }
  }

  /** The drive is lost for good: every call fails. */
  get gone(): boolean {
    return this.failure !== null
  }

  /** Lets others watch: the `watch` of their `Watcher`. Another one where the drive went on in another session. */
  get watch(): string | null {
    return this.watchKey
  }

  get mode(): Mode {
    return this.current
  }

  get stats(): RemoteStats {
    const { reconnects, skipped, latencyMs, frameBytes } = this
    const { roundTripMs, connections } = this.link
    return { ...this.pacer.stats, reconnects, skipped, latencyMs, roundTripMs, connections, frameBytes }
  }

  /**
   * What was last seen of the drive, to go on from elsewhere when every call fails. Null before the first frame, and where
   * frames come as images.
   */
  get seen(): Snapshot | null {
    return this.memory?.snapshot(this.soughtTick ?? undefined) ?? null
  }

  /** The first and last tick that `seek` reaches. Null before the first frame, and where frames come as images. */
  get range(): { readonly from: number; readonly to: number } | null {
    return this.memory?.range ?? null
  }

  get position(): number {
    return this.soughtTick ?? this.range?.to ?? 0
  }

  /** Goes to a tick, or to the newest frame before it where that one was not sent. Throws `BadInputError` outside `range`. */
  async seek(target: number): Promise<Tick> {
    this.check('seek')
    const { range } = this
    const frame = range && target <= range.to ? this.memory?.at(target) : undefined
    if (!frame) {
      const reach = range ? `The drive is known from tick ${range.from} to ${range.to}` : NO_PAST
      throw new BadInputError(`${reach}, but ${target} came.`)
    }
    this.soughtTick = frame.tick === range!.to ? null : frame.tick
    this.epochs.sought()
    const { tick, payload } = frame
    return this.show({ format: 'latents', tick, payload, epoch: this.epochs.now, timings: {} })
  }

  async reset(options: ResetOptions): Promise<Tick> {
    checkReset(options, this.info)
    const { seed, prompt, start } = options
    const body = { seed, prompt, start }
    this.soughtTick = null
    return this.begin('reset', { type: 'reset', body }, () => this.memory?.reset(body))
  }

  async restore(given: Snapshot): Promise<Tick> {
    const snapshot = checkedSnapshot(given, this.info, SNAPSHOT_KINDS)
    this.soughtTick = null
    return this.begin('restore', { type: 'restore', body: snapshot }, () => this.memory?.restore(snapshot))
  }

  async step(action: Action): Promise<Tick> {
    const sentAtMs = this.time.now()
    this.space.check(action)
    const code = this.space.code(action)
    this.newest = action
    const branched = this.branch()
    if (this.current === 'lockstep') {
      return this.show(frameOf(await this.ask('step', { type: 'step', code, sentAtMs })))
    }
    this.check('step')
    if (!this.epochs.begunOnce) throw new NotReadyError('step')
    this.steppedAtMs = sentAtMs
    // Frames of the future that is left come until then.
    await branched
    if (this.paused) {
      this.paused = false
      this.pacer.begin(-1)
      void this.ask('step', { type: 'mode', mode: 'realtime' }).catch(() => {})
    }
    // Another server that has yet to take the drive up has nothing to act on; the step waits for its first frame.
    if (this.epochs.now > 0) this.link.send({ type: 'action', code, sequence: ++this.actions, sentAtMs })
    return this.show(await this.pacer.take(sentAtMs))
  }

  async setPrompt(prompt: Prompt | string): Promise<PromptReceipt> {
    this.check('setPrompt')
    checkPrompt(prompt, this.info)
    const { text, embedding } = typeof prompt === 'string' ? { text: prompt } : prompt
    void this.branch()
    const ask = { type: 'prompt', body: embedding ? { text, embedding } : { text } } as const
    const answer = await this.ask('setPrompt', ask, () => this.memory?.say(prompt))
    return { tick: answer.type === 'heard' && answer.tick > 0 ? answer.tick : null }
  }

  async snapshot(): Promise<Snapshot> {
    this.check('snapshot')
    if (this.soughtTick !== null) return this.seen!
    return stateOf(await this.ask('snapshot', { type: 'snapshot' }))
  }

  /** Changes how time passes, from the next call on. The page asks for `lockstep` while it is paused and steps singly. */
  async setMode(mode: Mode): Promise<void> {
    const before = this.current
    if (mode === 'realtime') void this.branch()
    // At once: requests are carried out in order, so a step that is asked for from here on meets the new mode.
    this.current = mode
    this.paused = false
    this.steppedAtMs = this.time.now()
    if (mode === 'realtime') this.pacer.begin(-1)
    try {
      await this.ask('setMode', { type: 'mode', mode })
      // No frame comes by itself any more: who waits for one gets a single step.
      while (mode === 'lockstep' && this.current === mode && this.pacer.awaited) await this.stepForWaiting()
    } catch (error) {
      this.current = before
      throw error
    }
  }

  async readPixels(): Promise<Pixels> {
    return (await this.newestShown('readPixels')).frame
  }

  /** Null where frames come as images, too. */
  async readTelemetry(): Promise<Telemetry | null> {
    return (await this.newestShown('readTelemetry')).telemetry ?? null
  }

  private async newestShown(call: string): Promise<Picture> {
    this.check(call)
    await this.requests.settled()
    await this.decoding.run(() => {})
    if (!this.shown) throw new NotReadyError(call)
    return this.shown
  }

  close(): Promise<void> {
    this.closing ??= this.end()
    return this.closing
  }

  private async end(): Promise<void> {
    // What was called before is still answered, if there is anybody to answer.
    if (this.link.up && !this.failure) await this.requests.settled()
    const error = new WorldClosedError('step')
    this.link.close()
    this.requests.fail(error)
    this.pacer.fail(error)
    await this.decoding.run(() => this.options.pictures.close())
  }

  /** After a seek, the server goes on from there too; what is asked for behind it meets the new state. */
  private branch(): Promise<void> {
    const tick = this.soughtTick
    if (tick === null) return Promise.resolve()
    this.soughtTick = null
    const ask = { type: 'restore', body: this.memory!.snapshot(tick)! } as const
    const back = this.ask('step', ask, (answer) => {
      this.memory!.branch(tick)
      this.remember(answer)
    }).then(() => {})
    // It fails where the connection is gone, and then so does what is asked for behind it.
    back.catch(() => {})
    return back
  }

  private async stepForWaiting(): Promise<void> {
    const sentAtMs = this.time.now()
    const code = this.space.code(this.newest ?? this.space.idle)
    const frame = frameOf(await this.ask('step', { type: 'step', code, sentAtMs }))
    this.pacer.arrived(frame, this.epochs.now, this.time.now())
  }

  private ask(call: string, ask: Ask, heard?: (answer: ServerMessage) => void): Promise<ServerMessage> {
    try {
      this.check(call)
      checkBody(call, ask)
    } catch (error) {
      return Promise.reject(error)
    }
    return this.requests.ask(ask, heard)
  }

  private check(call: string): void {
    if (this.closing) throw new WorldClosedError(call)
    if (this.failure) throw this.failure
  }

  private receive(message: ServerMessage): void {
    if (message.type === 'frame') {
      this.link.send({ type: 'ack', sequence: message.sequence })
      this.skipped = message.skipped
      this.frameBytes = message.payload.length
      if (message.echoMs > 0) this.latencyMs = this.time.now() - message.echoMs
      // Answers that begin an epoch count before the frames behind them.
      if (message.request !== 0 && this.epochs.begin(message.epoch)) this.pacer.begin(message.tick)
      else if (message.epoch === this.epochs.now) this.remember(message)
    }
    if ('request' in message && message.request !== 0) this.requests.answered(message)
    else if (message.type === 'frame') this.pacer.arrived(message, this.epochs.now, this.time.now())
    else if (message.type === 'state') this.parting = message.body
  }

  private async begin(call: string, ask: Ask, remember: () => void): Promise<Tick> {
    const answer = await this.ask(call, ask, (answer) => {
      remember()
      this.remember(answer)
    })
    return this.show(frameOf(answer))
  }

  private remember(message: ServerMessage): void {
    if (message.type !== 'frame' || message.format !== 'latents') return
    this.memory?.see(message.tick, message.payload, this.newest ?? this.space.idle)
  }

  /** The frame as a tick, decoded in the order of calls. */
  private show(frame: Shown): Promise<Tick> {
    const epoch = this.epochs.played(frame.epoch)
    return this.decoding.run(async () => {
      const started = this.time.now()
      const { tick: index, format, payload, reward, done, timings } = frame
      const picture = await this.options.pictures.decode(format, payload)
      this.shown = picture
      const decode = this.time.now() - started
      return { index, epoch, ...picture, reward, done, timings: { ...timings, decode } }
    })
  }

  private reconnected(welcome: Welcome): void {
    this.reconnects++
    const bare = welcome.epoch === 0 && this.epochs.now > 0
    if (bare && !this.parting) {
      this.fail(new ServerRefusedError('SESSION_GONE', NOTHING_KEPT))
      return
    }
    if (welcome.resumed && !bare) {
      if (welcome.epoch !== undefined) {
        this.pacer.begin(-1)
        this.epochs.takenUp(welcome.epoch)
      }
      this.requests.again()
    } else {
      // Another server, or this one started anew: the drive goes on from where the last one left it.
      this.epochs.another()
      void this.requests.againAfter({ type: 'restore', body: this.parting! }).catch((error: unknown) => {
        if (error instanceof OneiroError && !this.closing) this.fail(error)
      })
    }
    this.parting = null
    this.emit({ type: 'reconnected', message: 'The server is back; play goes on.' })
  }

  private pauseWhenIdle(): void {
    if (this.current !== 'realtime' || this.paused || this.pacer.awaited || this.epochs.now === 0) return
    if (this.time.now() - this.steppedAtMs < PAUSED_MS) return
    this.paused = true
    void this.ask('step', { type: 'mode', mode: 'lockstep' }).catch(() => {})
  }

  private fail(error: OneiroError): void {
    this.failure = error
    this.link.close()
    this.requests.fail(error)
    this.pacer.fail(error)
    if (this.welcome) this.emit({ type: 'failed', error, message: error.message })
  }

  private emit(event: RemoteEvent): void {
    // Not from inside the link, which a listener that throws would break.
    queueMicrotask(() => this.options.onEvent?.(event))
  }
}

/** A frame that came, or one that is seen again. */
type Shown = Pick<FrameMessage, 'format' | 'payload' | 'epoch' | 'tick'> &
  Pick<Tick, 'reward' | 'done'> & { readonly timings: Partial<FrameMessage['timings']> }

const NO_PAST = 'Nothing is known of the drive before its first frame, nor where frames come as images'
const NOTHING_KEPT = 'The server is gone, and it kept nothing of this drive.'
