import type { ActionLog } from '../../engine/action-log'
import { NO_PROMPT } from '../../engine/checks'
import { type Clock, LockstepClock, RealtimeClock } from '../../engine/clock'
import { type Action, spaceOf } from '../../engine/controls'
import { type Begin, Loop, type LoopEvent } from '../../engine/loop'
import { seedKey } from '../../engine/random'
import { checkLog, type Replay, replay } from '../../engine/replay'
import { type Branch, type Past, Timeline } from '../../engine/timeline'
import type { Pixels, Prompt, Snapshot, Telemetry, Tick, World, WorldInfo } from '../../engine/world'
import type { DreamClient } from '../../model/open'
import { namedIn } from '../../model/prompt/labels'
import type { Instruments } from '../../scene/hud'
import type { StageFace } from '../../scene/stage'
import { codeOf, type FailureAction, sentenceOf } from '../failures'
import { Driver } from '../input/driver'
import { TelemetryFeed } from '../input/telemetry-feed'
import { type Params, type Place, seedOfChance, type View } from '../params'
import { notify, type Preset, type Store } from '../store'
import { chosen, merged } from '../words/edit'
import { PromptController } from '../words/prompt-controller'
import { type Heard, heardBySimulator, remarkOn } from '../words/remarks'
import type { WordPort } from '../words/words'
import { beginningOf } from './beginning'
import { Crossing, type Lead } from './crossing'
import { FailurePolicy } from './failure-policy'
import { Handover } from './handover'
import { type Motion, type MotionEvent, next, type PauseCause, wished } from './motion'
import { instrumentsOf, Presenter } from './presenter'
import type { RemoteDream } from './remote-dream'
import type { Server } from './seats'
import { SideBySide } from './side-by-side'
import { Stalls } from './stalls'
import { Rewind, TimeTravel } from './time-travel'
import { Waking } from './waking'
import { backendName, type WorldPort } from './worlds'

const TICKS_PER_SECOND = 20
/** Ticks between the snapshots of the past, by where the state lives: reading it back from a GPU costs more than replaying. */
export const SNAPSHOT_EVERY = { cpu: 10, gpu: 20 }
/** Two minutes of them on a CPU, which must not cost more memory than this. */
export const SNAPSHOTS = { capacity: 240, maxBytes: 23e6 }
/** Futures that were left and can be come back to. */
const BRANCHES = 4
const DIM: Record<PauseCause, number> = { user: 0.82, away: 0.5, scrub: 1 }

/** Runs the drive: opens worlds, owns the loop, and carries out what the page asks for. The store says how things stand. */
export class Player {
  readonly driver: Driver
  readonly presenter: Presenter
  readonly clock: Clock
  readonly rewind: Rewind
  private readonly listeners = new Set<(event: LoopEvent, world: World) => void>()
  private loop: Loop | null = null
  private lead: Lead | null = null
  private motion: Motion = { is: 'stopped' }
  /** Whose change of view or place holds the drive: the newest. */
  private holder: symbol | null = null
  /** Done once the newest holder lets go. */
  private released: Promise<void> = Promise.resolve()
  /** Of the newest request for a view or a place. */
  private turn = new AbortController()
  private readonly prompts: PromptController
  /** The dream on a server, while it is the one that is driven. */
  private remote: RemoteDream | null = null
  private readonly handover: Handover
  private readonly stalls: Stalls
  private readonly failurePolicy: FailurePolicy
  private readonly telemetry: TelemetryFeed
  private readonly waking: Waking
  private readonly crossing: Crossing

  constructor(
    private readonly store: Store,
    private readonly stage: StageFace,
    private readonly worlds: WorldPort,
    private readonly words: WordPort,
    params: Params,
  ) {
    this.prompts = new PromptController(
      store,
      words,
      params.prompt,
      (prompt) => remarkOn(prompt.text, this.heard(prompt)),
      (prompt) => this.known(merged(prompt, store.getState())),
    )
    this.crossing = new Crossing()
    const server = params.server ? { url: params.server, token: params.token ?? undefined } : null
    this.handover = new Handover(store, worlds, server, {
      now: () => ({ loop: this.loop, remote: this.remote }),
      play: () => this.play(),
      hold: () => this.hold(),
      newSignal: () => this.newSignal(),
      onOpened: (dream) => this.onOpened(dream),
      setView: (view, from) => this.setView(view, from),
      enter: (dream, place, turn, begin) =>
        this.enter(this.leadOf({ dream }, place), 'dream', { place, turn, begin }),
    })
    this.rewind = new Rewind(store, {
      playing: () => this.playing,
      pause: () => this.pause('scrub'),
      goOn: () => this.move({ type: 'back', from: 'scrub' }),
      free: () => this.free(),
      // The words go back with the drive.
      arrived: () => this.prompts.went(this.snapshot()),
    })
    this.stalls = new Stalls(this)
    this.failurePolicy = new FailurePolicy({
      ...{ store, stage, worlds, stalls: this.stalls },
      setView: (view) => this.setView(view),
      driveSimulator: async () => {
        const simulator = await this.worlds.simulator()
        await this.enter(this.leadOf({ simulator }), 'simulator')
        this.play()
      },
    })
    this.presenter = new Presenter(stage, (pane) => (pane === 0 ? this.worlds.dreamCanvas : null))
    this.driver = new Driver(params, this.presenter.photons, (state) => store.setState(state))
    this.waking = new Waking(store, this.driver, this.rewind)
    this.telemetry = new TelemetryFeed(this.driver)
    this.clock = params.clock === 'lockstep' ? new LockstepClock() : new RealtimeClock(TICKS_PER_SECOND)
    store.setState({
      view: params.view,
      lockstep: params.clock === 'lockstep',
      cruise: params.cruise,
      assist: params.assist,
      seed: params.seed ?? seedOfChance(),
      prompt: params.prompt ?? '',
      start: params.start,
      server: params.server,
      place: params.server ? 'server' : 'device',
    })
    stage.onOwnSize((pane, width, height) => {
      if (pane === 0) void this.worlds.resizeDream(width, height)
    })
  }

  get world(): World | null {
    return this.loop?.world ?? null
  }

  private get timeline(): Timeline | null {
    return this.lead?.timeline ?? null
  }

  /** The timeline, of both worlds where both are shown, or what is known here of a drive on a server. */
  private get past(): Past | null {
    return this.lead?.pair ?? this.timeline ?? this.remote
  }

  get playing(): boolean {
    return this.loop?.playing ?? false
  }

  /**
   * Shows a view. The drive goes on there as far as that world can take it over, and otherwise begins anew with the same seed,
   * start and words, or `from` a snapshot of its world. The old view plays until then.
   */
  async setView(view: View, from?: Snapshot): Promise<void> {
    const turn = this.newSignal()
    this.handover.stay()
    const { failure } = this.store.getState()
    this.store.setState({ view, failure: null })
    try {
      const lead = await this.open(view, turn)
      if (turn.aborted) return
      const { loop } = this
      const { shown } = this.store.getState()
      if (loop && shown === view && view !== 'dream' && !failure && !from) return
      const isOther = shown !== view || this.timeline !== null
      if (!loop || failure || from || !isOther) {
        const begin = from && from.modelHash === lead.dream?.info.modelHash ? { restore: from } : undefined
        await this.enter(lead, view, { begin, turn })
        return
      }
      const release = this.hold()
      try {
        await this.crossing.leave(this.lead!, loop.snapshot())
        if (turn.aborted) return
        const { tick } = this.store.getState()
        const { begin, remark } = this.crossing.begin({ ...this.lead!, tick }, lead)
        const entered = await this.enter(lead, view, { begin, turn })
        if (entered && remark) notify(this.store, remark, 'info', 9000)
      } finally {
        release()
      }
    } catch (error) {
      if (!turn.aborted) this.fail(error)
    }
  }

  /** Lets another machine dream from now on, or this one again. A drive under way goes on there where it is. */
  setPlace(place: Place, server?: Server): Promise<void> {
    return this.handover.move(place, server)
  }

  /** Hears what happens in the drive, whichever world is driven, after the page has taken it in; returns how to stop. */
  listen(listener: (event: LoopEvent, world: World) => void): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  play(): void {
    this.move({ type: 'play' })
  }

  pause(cause: PauseCause = 'user'): void {
    this.driver.clear()
    this.move({ type: 'pause', by: cause })
  }

  togglePause(): void {
    const motion = wished(this.motion)
    if (motion.is === 'playing') this.pause()
    else if (motion.is === 'paused' && motion.by === 'scrub') this.move({ type: 'settle' })
    else this.play()
  }

  /** The page lost the focus: let go of every key, and wait. */
  away(): void {
    this.pause('away')
  }

  back(): void {
    this.move({ type: 'back', from: 'away' })
  }

  /** Something happened to the motion: the loop, a server and the page follow. */
  private move(event: MotionEvent): void {
    if (!this.loop || this.clock.mode === 'lockstep') return
    const before = this.motion
    const after = next(before, event)
    if (after === before && event.type !== 'play') return
    this.motion = after
    const will = wished(after)
    if (will !== wished(before) || event.type === 'play') {
      this.store.setState({ paused: will.is === 'paused' ? will.by : null })
      this.stage.setDim(will.is === 'paused' ? DIM[will.by] : 1)
    }
    if (after.is === 'playing') {
      void this.attempt(() => this.remote?.setMode('realtime'))
      this.loop.play()
      return
    }
    if (before.is === 'playing') this.loop.pause()
    const stands = after.is === 'paused' && before.is !== 'paused' && event.type !== 'step'
    if (stands) void this.attempt(() => this.remote?.setMode('lockstep'))
  }

  /** Holds the drive while something about it changes. Answers how to let go, which counts for the newest holder alone. */
  private hold(): () => void {
    const holder = Symbol('holder')
    this.holder = holder
    let done = () => {}
    this.released = new Promise((resolve) => {
      done = resolve
    })
    this.move({ type: 'hold' })
    return () => {
      done()
      if (this.holder !== holder) return
      this.holder = null
      this.move({ type: 'release' })
    }
  }

  /** What moves the drive elsewhere waits while a change holds it: it is meant for the world that comes. */
  private async free(): Promise<void> {
    while (this.holder !== null) await this.released
  }

  /** Pauses and advances one tick, with `action` or else the keys held. Null where a reset overtook it. */
  async step(action?: Action): Promise<Tick | null> {
    if (!this.loop) throw notOpen()
    if (action !== undefined) spaceOf(this.loop.world.info.controls).check(action)
    if (this.holder) await this.free()
    this.move({ type: 'step' })
    this.stage.setDim(1)
    try {
      await this.remote?.setMode('lockstep')
      return await this.loop.step(action)
    } catch (error) {
      // What a caller got wrong is no fault of the world's, which drives on.
      if (codeOf(error) !== 'BAD_INPUT') this.fail(error)
      throw error
    }
  }

  /** Begins the same drive anew, or another one with `seed`. Rejects where that cannot be, and the drive goes on. */
  async reset(seed = this.store.getState().seed): Promise<void> {
    seedKey(seed)
    if (this.holder) await this.free()
    const { seed: before } = this.store.getState()
    this.store.setState({ seed })
    try {
      await this.loop?.reset(this.beginning().options)
      this.crossing.begun(this.lead)
    } catch (error) {
      if (this.store.getState().seed === seed) this.store.setState({ seed: before })
      throw error
    }
    this.promptLater()
  }

  /** Begins a drive of words that the world knows by heart, on a seed; without words where it listens to none. */
  async beginWith(seed: number, text: string | null): Promise<void> {
    if (!this.loop) throw notOpen()
    await this.loop.reset({ seed, ...(text === null ? {} : { prompt: { text } }) })
    this.crossing.begun(this.lead)
    this.prompts.tell(text ?? '')
    this.store.setState({ seed, start: null })
  }

  /** Words that the world knows by heart, for the very next tick. */
  tellNow(text: string): void {
    this.prompts.tell(text)
    void this.attempt(() => this.loop?.setPrompt({ text }))
  }

  /** Another value of one of the things that words choose between; null for none of them. The rest stays. */
  async choose(thing: string, value: string | null): Promise<boolean> {
    const prompt = chosen(this.store.getState(), thing, value)
    return prompt ? this.setPrompt(this.known(prompt).text) : false
  }

  /**
   * Turns the drive into what the words say, from the next tick on and without a reset. The newest words win. False where
   * they could not be read.
   */
  async setPrompt(wanted: Preset | string): Promise<boolean> {
    const { loop } = this
    if (!loop) return this.prompts.begin(wanted)
    if (!loop.world.info.prompt) {
      notify(this.store, NO_PROMPT, 'warn')
      return false
    }
    const readElsewhere = this.store.getState().shown === 'simulator' || this.remote !== null
    return this.prompts.say(wanted, readElsewhere, (prompt) => loop.setPrompt(prompt))
  }

  async readPixels(): Promise<Pixels> {
    if (!this.loop) throw notOpen()
    return this.loop.world.readPixels()
  }

  async readTelemetry(): Promise<Telemetry | null> {
    if (!this.loop) throw notOpen()
    return this.loop.world.readTelemetry()
  }

  async snapshot(): Promise<Snapshot> {
    if (!this.loop) throw notOpen()
    return this.loop.snapshot()
  }

  /** Puts a snapshot back; rejects with a sentence where it is of another world or model. */
  async restore(snapshot: Snapshot): Promise<Tick> {
    if (!this.loop) throw notOpen()
    if (this.holder) await this.free()
    const tick = await this.loop.restore(snapshot)
    this.crossing.begun(this.lead)
    this.prompts.chosen = snapshot.prompt?.text ?? null
    this.store.setState({ seed: snapshot.seed, prompt: snapshot.prompt?.text ?? '' })
    return tick
  }

  /** Everything that decided this drive since it began, to replay it. */
  log() {
    if (this.remote) throw new Error('A drive on a server keeps no log. Drive on this device to record one.')
    if (!this.timeline) throw notOpen()
    return this.timeline.log()
  }

  instruments(): Instruments {
    return instrumentsOf(this.store.getState(), this.presenter, this.clock, this.playing)
  }

  actOnFailure(action: FailureAction): Promise<void> {
    return this.failurePolicy.act(action)
  }

  async close(): Promise<void> {
    this.loop?.close()
    await Promise.all([this.worlds.close(), this.words.close()])
  }

  private async open(view: View, turn: AbortSignal): Promise<Lead> {
    if (view === 'simulator') return this.leadOf({ simulator: await this.worlds.simulator() })
    const place = view === 'dream' ? this.store.getState().place : 'device'
    const dream = await this.handover.open(place, turn)
    return this.leadOf(
      { dream, ...(view === 'both' ? { simulator: await this.worlds.simulator() } : {}) },
      place,
    )
  }

  /** What is shown of these worlds. The dream on this device goes on with the drive that it has. */
  private leadOf(
    { dream = null, simulator = null }: Partial<Pick<Lead, 'dream' | 'simulator'>>,
    place: Place = 'device',
  ): Lead {
    // A server's ticks go on by themselves, and its snapshots cost the line too much; but its frames are kept here.
    if (place === 'server') return { dream, simulator, timeline: null, pair: null }
    const timeline = (dream && this.crossing.driveOf(dream)) ?? this.newTimeline(dream ?? simulator!)
    if (!dream || !simulator) return { dream, simulator, timeline, pair: null }
    const pair = new SideBySide(
      timeline,
      simulator,
      (tick) => this.presenter.show(1, tick, simulator.info),
      (now) => this.crossing.states(simulator, null, now).at(-1) ?? null,
    )
    return { dream, simulator, timeline, pair }
  }

  private newTimeline(world: World): Timeline {
    const every = this.everyOf(world)
    return new Timeline(world, { ...SNAPSHOTS, every, onBranch: (branch) => this.branched(branch) })
  }

  private everyOf(world: World): number {
    return world.info.kind === 'dream' && this.worlds.dreamCanvas !== null
      ? SNAPSHOT_EVERY.gpu
      : SNAPSHOT_EVERY.cpu
  }

  /** The signal of another request; what was under way for the one before comes to nothing. */
  private newSignal(): AbortSignal {
    this.turn.abort()
    this.turn = new AbortController()
    return this.turn.signal
  }

  /** A dream was opened: what it knows by heart. */
  private onOpened(dream: DreamClient | RemoteDream): void {
    if ('on' in dream) this.stalls.watch(dream)
    if (!dream.manifest) return
    const { presets, starts, prompt, beginnings } = dream.manifest
    this.words.learn([...presets.map(({ text }) => text), ...starts.map(({ caption }) => caption)])
    const choices = prompt?.choices ?? null
    this.store.setState({ presets, starts, choices, fromWords: beginnings !== undefined })
  }

  /** Shows a view once it has begun, where nothing else was asked for meanwhile. */
  private async enter(
    lead: Lead,
    view: View,
    {
      place = view === 'dream' ? this.store.getState().place : 'device',
      begin,
      turn = this.turn.signal,
    }: { place?: Place; begin?: Begin; turn?: AbortSignal } = {},
  ): Promise<boolean> {
    const remote = place === 'server' ? (lead.dream as RemoteDream) : null
    const world = lead.pair ?? lead.timeline ?? remote!
    const goesOn = begin !== undefined && 'move' in begin && lead.timeline === this.timeline
    const { options, shown } = this.beginning(view, world)
    const told = !begin
      ? this.prompts.chosen
      : 'restore' in begin
        ? begin.restore.prompt?.text
        : this.crossing.told
    const wanted = () => !turn.aborted
    await remote?.setMode('lockstep')
    const first = this.loop === null
    if (this.loop) {
      const before = this.lead
      if (!(await this.loop.swap(world, begin ?? { reset: options }, wanted))) {
        await this.putBack(before, lead)
        return false
      }
    } else {
      const loop = new Loop(world, this.clock, this.driver)
      loop.listen((event) => this.hear(loop, event))
      await loop.reset(options)
      if (!wanted()) {
        loop.close()
        return false
      }
      this.loop = loop
    }
    this.remote = remote
    this.lead = lead
    this.crossing.entered(lead, begin === undefined)
    const every = lead.timeline ? this.everyOf(lead.dream ?? lead.simulator!) : 1
    this.rewind.enter(this.past && new TimeTravel(this.loop, this.past, every))
    if (!goesOn) this.store.setState({ branches: [] })
    this.presenter.forget()
    this.stage.show(view === 'both' ? 2 : 1, !first)
    this.store.setState({
      phase: 'ready',
      loading: null,
      shown: view,
      prompt: begin ? (this.prompts.chosen ?? told ?? shown) : shown,
      ...(view === 'dream' ? { place } : {}),
      backend: remote ? `server · ${world.info.backend}` : backendName(world.info.backend),
      nominalRate: world.info.ticksPerSecond,
      past: this.past?.range ?? null,
    })
    // Words that came while the world began, or that a server never answered to, were told to the one before it.
    const { chosen } = this.prompts
    if (chosen !== null && chosen !== told) void this.setPrompt(chosen)
    else if (!begin) this.promptLater()
    const readHere = !this.store.getState().choices
    if (view === 'simulator' && chosen !== null && chosen === told && readHere)
      this.prompts.comment({ text: chosen })
    if (first || this.playing) this.play()
    return true
  }

  /** A view that was begun in vain has moved the simulator: where that is still shown, it goes back to where it was. */
  private async putBack(shown: Lead | null, inVain: Lead): Promise<void> {
    const { past } = this
    if (this.lead !== shown || !past || !shown?.simulator || shown.simulator !== inVain.simulator) return
    await this.loop!.jump(() => past.seek(past.position))
  }

  private hear(loop: Loop, event: LoopEvent): void {
    this.follow(loop, event)
    for (const listener of this.listeners) listener(event, loop.world)
  }

  private follow({ world }: Loop, event: LoopEvent): void {
    const { info } = world
    if (event.type === 'begin') {
      this.takeControls(info)
      if (event.cause === 'reset' || event.cause === 'restore') this.store.setState({ branches: [] })
    }
    if (event.type === 'tick' || event.type === 'begin') {
      this.presenter.hear(event, info)
      this.telemetry.hear(event.tick, world)
      const slowed =
        this.clock.mode === 'realtime' &&
        (this.clock.stats().slowed || this.presenter.isSlow(info.ticksPerSecond))
      this.handover.heard(slowed)
      this.store.setState({
        tick: event.tick.index,
        ticksPerSecond: this.presenter.rate(),
        slowed,
        handsOn: this.driver.handsOn,
        past: this.past?.range ?? null,
        ...(event.type === 'tick' ? { action: event.action } : {}),
      })
      if (event.type === 'tick' && this.playing) void this.waking.hear(event.tick.index)
    } else if (event.type === 'state') {
      this.presenter.interrupted()
      if (!event.playing) this.move({ type: 'fault' })
    } else if (event.type === 'error') {
      // A fault of the page's own, for the console: thrown again, it would be swallowed. Node has no `reportError`.
      if (event.during === 'listener') (globalThis.reportError ?? console.error)(event.error)
      else this.fail(event.error)
    }
  }

  private branched(branch: Branch): void {
    if (this.waking.broke(branch)) return
    this.store.setState(({ branches }) => ({ branches: [branch, ...branches].slice(0, BRANCHES) }))
  }

  /** Goes on at the end of a future that was left. */
  async returnTo(branch: Branch): Promise<void> {
    const { timeline, loop } = this
    if (!timeline || !loop) return
    this.store.setState(({ branches }) => ({ branches: branches.filter(({ id }) => id !== branch.id) }))
    await this.attempt(async () => {
      await loop.jump(() => (this.lead?.pair ?? timeline).returnTo(branch))
      await this.prompts.went(this.snapshot())
    })
  }

  /**
   * Plays a log without drawing it, and goes on where it ends. Rejects with a sentence where it is of another world or model,
   * and then nothing has changed, or where another drive began meanwhile. `onTick` hears how far it is.
   */
  async continueFrom(log: ActionLog, onTick: (tick: number) => void): Promise<Replay> {
    const { loop } = this
    if (!loop) throw notOpen()
    checkLog(log, loop.world.info)
    let epoch = 0
    let result: Replay | null = null
    const jumped = loop.jump(async (world) => {
      let last: Tick | null = null
      result = await replay(log, world, {
        onTick: (tick) => {
          if (loop.epoch !== epoch) throw new Error('Another drive began, so the saved one was left.')
          last = tick
          onTick(tick.index)
        },
      })
      return last!
    })
    epoch = loop.epoch
    await jumped
    this.crossing.begun(this.lead)
    const now = await this.snapshot()
    if (now.prompt) {
      this.known({
        text: now.prompt.text,
        ...(now.prompt.embedding ? { embedding: now.prompt.embedding } : {}),
      })
      this.prompts.tell(now.prompt.text)
    }
    const start = 'reset' in log.begin ? (log.begin.reset.start ?? null) : null
    this.store.setState({ seed: now.seed, start, branches: [] })
    return result!
  }

  /** Another world is driven: what can be done in it. */
  private takeControls({ controls, prompt }: WorldInfo): void {
    if (controls === this.store.getState().controls) return
    const space = spaceOf(controls)
    this.driver.enter(space)
    const simulated = this.driver.hasAutopilot
    this.store.setState({ controls, held: space.idle, action: space.idle, listens: prompt, simulated })
  }

  /** Words that had to be read when the drive began come after it, without holding back the first frame. */
  private promptLater(): void {
    const { unread } = this.prompts
    if (unread !== null && this.store.getState().shown !== 'simulator') void this.setPrompt(unread)
  }

  /** After a worker was replaced. */
  again(resume: boolean): void {
    void this.attempt(async () => {
      if (!this.loop) return
      const { prompt } = this.store.getState()
      const { pair } = this.lead!
      const known = pair?.first.lastSnapshot
      // Side by side, only what is kept of both has them at one tick.
      if (pair && known) await this.loop.jump(() => pair.seek(known.tick))
      const from = known ?? (await this.loop.snapshot())
      if (!known) await this.loop.restore(from)
      if (from.prompt && from.prompt.text !== prompt) void this.setPrompt(prompt)
      if (resume) this.play()
    })
  }

  /** Words that come with what they mean are read so from now on. */
  private known(prompt: Prompt): Prompt {
    if (prompt.embedding) this.words.know(prompt.text, prompt.embedding)
    return prompt
  }

  /** What the world that is driven made of words. */
  private heard({ text, embedding }: Prompt): Heard {
    if (this.store.getState().shown === 'simulator') return heardBySimulator(text)
    const { choices } = this.store.getState()
    return embedding && choices ? namedIn(embedding, choices) : null
  }

  private beginning(view = this.store.getState().shown, world = this.loop?.world) {
    const listens = world?.info.prompt ?? true
    return beginningOf({ ...this.store.getState(), listens }, view, this.prompts.chosen, this.prompts.byHeart)
  }

  private async attempt(command: () => Promise<unknown> | undefined): Promise<void> {
    try {
      await command()
    } catch (error) {
      notify(this.store, sentenceOf(error), 'warn')
    }
  }

  /** Says what happened. Where the dream cannot play, the simulator stands in behind the message. */
  fail(error: unknown): void {
    if (this.remote?.gone) return // `comeHome` goes on from here
    this.failurePolicy.fail(error)
  }
}

function notOpen(): Error {
  return new Error('No world is open yet. Wait until oneiro.ready resolves.')
}
