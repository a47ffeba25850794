import type { Action } from '../engine/action'
import { type Clock, LockstepClock, RealtimeClock } from '../engine/clock'
import { Loop, type LoopEvent } from '../engine/loop'
import { Timeline } from '../engine/timeline'
import type { Pixels, Prompt, Snapshot, Tick, World, WorldInfo } from '../engine/world'
import type { DreamClient } from '../model/open'
import type { Instruments } from '../scene/hud'
import type { StageFace } from '../scene/stage'
import { Driver } from './driver'
import { Duet } from './duet'
import { codeOf, type FailureAction, failureFrom, sentenceOf } from './failures'
import { type Params, SEED_RANGE, type View } from './params'
import { Presenter } from './presenter'
import { closestStart } from './starts'
import { notify, type PauseCause, type Preset, type Store } from './store'
import { TimeTravel } from './time-travel'
import type { WordPort } from './words'
import { backendName, type WorldPort } from './worlds'

const TICKS_PER_SECOND = 20
/** Ticks between the snapshots of the past, by where the state lives: reading it back from a GPU costs more than replaying. */
const SNAPSHOT_EVERY = { cpu: 10, gpu: 20 }
const SNAPSHOTS = 120
const DIM: Record<'user' | 'away' | 'scrub', number> = { user: 0.82, away: 0.5, scrub: 1 }

/** Runs the drive: opens worlds, owns the loop, and carries out what the page asks for. The store says how things stand. */
export class Player {
  readonly driver: Driver
  readonly presenter: Presenter
  readonly clock: Clock
  private loop: Loop | null = null
  private timeline: Timeline | null = null
  private switching = 0
  private prompting = 0
  /** Words chosen by the address or a person; where none were, each world brings its own. */
  private chosen: string | null
  private travel: TimeTravel | null = null
  private resumeAfterScrub = false
  /** The dream's worker is being replaced; whether play goes on afterwards. */
  private stalled: { resume: boolean } | null = null
  private watched: DreamClient | null = null

  constructor(
    private readonly store: Store,
    private readonly stage: StageFace,
    private readonly worlds: WorldPort,
    private readonly words: WordPort,
    params: Params,
  ) {
    this.chosen = params.prompt
    this.presenter = new Presenter(stage, (pane) => (pane === 0 ? this.worlds.dreamCanvas : null))
    this.driver = new Driver(params.cruise, this.presenter.photons, (held, cruise) =>
      store.setState({ held, cruise }),
    )
    this.clock = params.clock === 'lockstep' ? new LockstepClock() : new RealtimeClock(TICKS_PER_SECOND)
    store.setState({
      view: params.view,
      lockstep: params.clock === 'lockstep',
      cruise: params.cruise,
      seed: params.seed ?? chance(SEED_RANGE),
      prompt: params.prompt ?? '',
      start: params.start,
    })
    stage.onOwnSize((pane, width, height) => {
      if (pane === 0) void this.worlds.resizeDream(width, height)
    })
  }

  get world(): World | null {
    return this.timeline
  }

  get playing(): boolean {
    return this.loop?.playing ?? false
  }

  /** Shows a view. The drive begins anew there with the same seed, start and words. The old view plays until then. */
  async setView(view: View): Promise<void> {
    const turn = ++this.switching
    this.store.setState({ view, failure: null })
    try {
      const world = await this.open(view)
      if (turn === this.switching) await this.enter(world, view)
    } catch (error) {
      if (turn === this.switching) this.fail(error)
    }
  }

  play(): void {
    if (!this.loop || this.clock.mode === 'lockstep') return
    this.store.setState({ paused: null })
    this.stage.setDim(1)
    this.loop.play()
  }

  pause(cause: Exclude<PauseCause, null> = 'user'): void {
    this.driver.clear()
    if (!this.loop?.playing) return
    this.loop.pause()
    this.store.setState({ paused: cause })
    this.stage.setDim(DIM[cause])
  }

  togglePause(): void {
    if (this.playing) this.pause()
    else this.play()
  }

  /** The page lost the focus: let go of every key, and wait. */
  away(): void {
    if (this.playing) this.pause('away')
    else this.driver.clear()
  }

  back(): void {
    if (this.store.getState().paused === 'away') this.play()
  }

  /** Pauses and advances one tick, with `action` or else the keys held. Null where a reset overtook it. */
  async step(action?: Action): Promise<Tick | null> {
    if (!this.loop) throw notOpen()
    if (this.clock.mode === 'realtime') this.store.setState({ paused: 'user' })
    this.stage.setDim(1)
    try {
      return await this.loop.step(action)
    } catch (error) {
      this.fail(error)
      throw error
    }
  }

  /** Begins the same drive anew, or another one with `seed`. */
  async reset(seed = this.store.getState().seed): Promise<void> {
    this.store.setState({ seed })
    await this.attempt(() => this.loop?.reset(this.beginning().options))
    this.promptLater()
  }

  newSeed(): Promise<void> {
    return this.reset(chance(SEED_RANGE))
  }

  /** Turns the drive into what the words say, from the next tick on and without a reset. The newest words win. */
  async setPrompt(wanted: Preset | string): Promise<void> {
    const text = typeof wanted === 'string' ? wanted.trim() : wanted.text
    if (!text || !this.loop) return
    const turn = ++this.prompting
    const before = { chosen: this.chosen, prompt: this.store.getState().prompt }
    this.chosen = text
    this.store.setState({ prompt: text })
    try {
      const prompt = this.store.getState().shown === 'simulator' ? { text } : await this.words.encode(text)
      if (turn === this.prompting) await this.loop.setPrompt(prompt)
    } catch (error) {
      notify(this.store, sentenceOf(error), 'warn')
      if (turn !== this.prompting) return
      this.chosen = before.chosen
      this.store.setState({ prompt: before.prompt })
    }
  }

  /** Goes back by about `ticks`, and drives on from there. */
  async rewind(ticks: number): Promise<void> {
    await this.attempt(() => this.travel?.rewind(ticks))
  }

  /** Shows an earlier tick while the scrubber is dragged; the newest wish wins. */
  async seek(tick: number): Promise<void> {
    if (this.playing) {
      this.resumeAfterScrub = true
      this.pause('scrub')
    }
    await this.attempt(() => this.travel?.seek(tick))
  }

  seekEnd(): void {
    const resume = this.resumeAfterScrub
    this.resumeAfterScrub = false
    if (resume) this.play()
    else if (this.store.getState().paused === 'scrub') this.store.setState({ paused: 'user' })
  }

  async readPixels(): Promise<Pixels> {
    if (!this.timeline) throw notOpen()
    return this.timeline.readPixels()
  }

  async snapshot(): Promise<Snapshot> {
    if (!this.loop) throw notOpen()
    return this.loop.snapshot()
  }

  /** Puts a snapshot back; rejects with a sentence where it is of another world or model. */
  async restore(snapshot: Snapshot): Promise<Tick> {
    if (!this.loop) throw notOpen()
    const tick = await this.loop.restore(snapshot)
    this.chosen = snapshot.prompt.text
    this.store.setState({ seed: snapshot.seed, prompt: snapshot.prompt.text })
    return tick
  }

  /** Everything that decided this drive since it began, to replay it. */
  log() {
    if (!this.timeline) throw notOpen()
    return this.timeline.log()
  }

  instruments(): Instruments {
    const { action, cruise, tick, nominalRate, backend } = this.store.getState()
    const stats = this.clock.mode === 'realtime' ? this.clock.stats() : null
    return {
      action,
      cruise,
      tick,
      nominalRate,
      backend,
      ticksPerSecond: this.playing ? this.presenter.rate() : 0,
      lateTicks: stats?.lateTicks ?? 0,
      speed: stats?.speed ?? 1,
      cost: this.presenter.cost.ticks,
      stages: this.presenter.cost.stages,
      photon: this.presenter.photons.samples,
    }
  }

  async actOnFailure(action: FailureAction): Promise<void> {
    this.store.setState({ failure: null })
    this.stage.setDim(1)
    const { view, phase } = this.store.getState()
    if (action === 'simulator') await this.setView('simulator')
    else if (action === 'retry' || action === 'wasm') {
      if (phase === 'failed') this.store.setState({ phase: 'loading' })
      this.store.setState({ loading: { label: 'Trying again', fraction: null } })
      await this.worlds.dropDream(action === 'wasm' ? 'wasm' : undefined)
      await this.setView(view)
    }
  }

  async close(): Promise<void> {
    this.loop?.close()
    await Promise.all([this.worlds.close(), this.words.close()])
  }

  private async open(view: View): Promise<World> {
    if (view === 'simulator') return this.worlds.simulator()
    const dream = await this.worlds.dream()
    this.watch(dream)
    const { presets, starts } = dream.manifest
    this.words.learn([...presets.map(({ text }) => text), ...starts.map(({ caption }) => caption)])
    this.store.setState({ presets, starts })
    if (view === 'dream') return dream
    const simulator = await this.worlds.simulator()
    return new Duet(dream, simulator, (tick) => this.presenter.show(1, tick, simulator.info))
  }

  private async enter(world: World, view: View): Promise<void> {
    const onGpu = view !== 'simulator' && this.worlds.dreamCanvas !== null
    const every = onGpu ? SNAPSHOT_EVERY.gpu : SNAPSHOT_EVERY.cpu
    const timeline = new Timeline(world, { every, capacity: SNAPSHOTS })
    const first = this.loop === null
    const { options, shown } = this.beginning(view)
    if (this.loop) {
      await this.loop.swap(timeline, { reset: options })
    } else {
      const loop = new Loop(timeline, this.clock, this.driver)
      loop.listen((event) => this.hear(loop.world.info, event))
      await loop.reset(options)
      this.loop = loop
    }
    this.timeline = timeline
    this.travel = new TimeTravel(this.loop, timeline, every)
    this.presenter.forget()
    this.stage.show(view === 'both' ? 2 : 1, !first)
    this.store.setState({
      phase: 'ready',
      loading: null,
      shown: view,
      prompt: shown,
      backend: backendName(world.info.backend),
      nominalRate: world.info.ticksPerSecond,
      past: timeline.range,
    })
    this.promptLater()
    if (first) this.play()
  }

  private hear(info: WorldInfo, event: LoopEvent): void {
    if (event.type === 'tick' || event.type === 'begin') {
      this.presenter.hear(event, info)
      const slowed =
        this.clock.mode === 'realtime' &&
        (this.clock.stats().slowed || this.presenter.isSlow(info.ticksPerSecond))
      const { timeline } = this
      this.store.setState({
        tick: event.tick.index,
        ticksPerSecond: this.presenter.rate(),
        slowed,
        past: timeline?.range ?? null,
        ...(event.type === 'tick' ? { action: event.action } : {}),
      })
    } else if (event.type === 'state') {
      this.presenter.interrupted()
    } else if (event.type === 'error') {
      if (event.during === 'listener') throw event.error
      this.fail(event.error)
    }
  }

  /**
   * How to begin: the seed, and words that need no reading. Where nobody chose words, those of the start or else the first
   * preset. `shown` are the words the page shows, which may still have to be read.
   */
  private beginning(view = this.store.getState().shown) {
    const { seed, start, starts, presets } = this.store.getState()
    const caption = starts.find(({ id }) => id === start)?.caption
    const fallback = caption ?? presets[0]?.text ?? 'a drive'
    const shown = this.chosen ?? fallback
    const words: Prompt = (view === 'simulator' ? { text: shown } : this.words.byHeart(shown)) ?? {
      text: fallback,
    }
    const from =
      start && (starts.length === 0 || caption !== undefined) ? start : closestStart(shown, starts, seed)?.id
    return { options: { seed, prompt: words, ...(from ? { start: from } : {}) }, shown }
  }

  /** Words that had to be read when the drive began come after it, without holding back the first frame. */
  private promptLater(): void {
    const { chosen } = this
    if (this.store.getState().shown === 'simulator' || chosen === null) return
    if (!this.words.byHeart(chosen)) void this.setPrompt(chosen)
  }

  private async attempt(command: () => Promise<unknown> | undefined): Promise<void> {
    try {
      await command()
    } catch (error) {
      notify(this.store, sentenceOf(error), 'warn')
    }
  }

  /** Says what happened. Where the dream cannot play, the simulator stands in behind the message. */
  private fail(error: unknown): void {
    if (codeOf(error) === 'BACKEND_STALLED') {
      this.stalled = { resume: true }
      return
    }
    const { view, shown, phase } = this.store.getState()
    const dreaming = view !== 'simulator'
    const failure = failureFrom(error, dreaming)
    this.store.setState({ failure, loading: null, reading: null })
    if (dreaming && (phase !== 'ready' || shown !== 'simulator')) void this.standIn()
    else if (phase !== 'ready') this.store.setState({ phase: 'failed' })
  }

  /** A worker that stalled is replaced, from a checkpoint some ticks ago: the timeline begins again there. */
  private watch(dream: DreamClient): void {
    if (this.watched === dream) return
    this.watched = dream
    dream.on((event) => {
      if (this.watched !== dream) return
      if (event.type === 'stalled') this.stalled ??= { resume: this.playing }
      else if (event.type === 'failed') this.fail(event.error)
      else if (event.type === 'recovered' && this.stalled) {
        const { resume } = this.stalled
        this.stalled = null
        void this.attempt(async () => {
          await this.loop?.restore(await this.loop.snapshot())
          if (resume) this.play()
        })
      }
    })
  }

  /** The simulator plays dimly behind the failure card, so that the page is never a dead end. */
  private async standIn(): Promise<void> {
    const { failure } = this.store.getState()
    try {
      const world = await this.worlds.simulator()
      if (this.store.getState().failure !== failure) return
      await this.enter(world, 'simulator')
      this.play()
      this.stage.setDim(0.45)
    } catch {
      if (this.store.getState().phase !== 'ready') this.store.setState({ phase: 'failed' })
    }
  }
}

function notOpen(): Error {
  return new Error('No world is open yet. Wait until oneiro.ready resolves.')
}

/** A seed nobody chose; it is shown, and decides everything after. */
function chance(range: number): number {
  return crypto.getRandomValues(new Uint32Array(1))[0]! % range
}
