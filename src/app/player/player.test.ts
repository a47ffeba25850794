import { describe, expect, it, vi } from 'vitest'
import { OneiroError } from '../../engine/errors'
import { FAKE, FakeWorld } from '../../engine/testing/fake-world'
import { FORMAT_VERSION, type Pixels, type Snapshot, type World } from '../../engine/world'
import type { DreamEvent, DreamListener } from '../../model/open'
import type { ToldMoment } from '../../scene/drive'
import type { StageFace } from '../../scene/stage'
import type { Params } from '../params'
import { createAppStore } from '../store'
import type { WordPort } from '../words/words'
import { Player } from './player'
import type { WorldPort } from './worlds'

const PARAMS: Params = {
  view: 'dream',
  backend: 'auto',
  clock: 'lockstep',
  seed: 7,
  prompt: null,
  start: null,
  assets: '',
  server: null,
  token: null,
  hud: false,
  stage: 'auto',
  cruise: false,
  assist: false,
  bleed: false,
  sound: false,
  run: null,
  moment: null,
}
const MANIFEST = {
  presets: [{ id: 'a', text: 'a snowy night drive', embedding: 0 }],
  starts: [{ id: 'here', caption: 'a quiet first light', index: 0 }],
  telemetry: [{ name: 'speed', unit: '', centre: 10, spread: 2 }],
  latent: { tokens: 2, channels: 1 },
}

/** Its snapshots hold a latent, as a dream's do: tokens [a picture, what the speed reads]. */
class ReadWorld extends FakeWorld {
  override async snapshot(): Promise<Snapshot> {
    const snapshot = await super.snapshot()
    return { ...snapshot, state: { ...snapshot.state, latents: Float32Array.of(0, snapshot.tick) } }
  }
}

/** What the stage was given, by pane. */
class FakeStage implements StageFace {
  readonly software = true
  readonly shown: [number, Pixels][] = []
  panes = 0
  dim = 1
  show(count: 1 | 2) {
    this.panes = count
  }
  setDim(value: number) {
    this.dim = value
  }
  present(pane: number, pixels: Pixels, onPresented?: () => void) {
    this.shown.push([pane, pixels])
    onPresented?.()
  }
  attach() {}
  touch() {}
  onOwnSize() {}
  setFraming() {}
  onFrames() {}
  close() {}
}

function setup(
  overrides: Partial<Params> = {},
  ports: { dream?: () => Promise<World>; encode?: WordPort['encode'] } = {},
) {
  const store = createAppStore()
  const stage = new FakeStage()
  const dream = new ReadWorld({ modelHash: 'dream' })
  const simulator = Object.assign(new FakeWorld({ modelHash: 'simulator' }), {
    retrace: vi.fn((seed: number, moments: readonly ToldMoment[]) =>
      moments.map(
        ({ tick, text, telemetry }): Snapshot => ({
          ...{ format: 'oneiro-snapshot', version: FORMAT_VERSION, world: 'fake', modelHash: 'simulator' },
          ...{ tick, seed, prompt: { text, embedding: null } },
          state: { state: Float32Array.of(telemetry.speed!, 0, 0) },
        }),
      ),
    ),
  })
  const remote = Object.assign(new FakeWorld({ modelHash: 'dream' }), {
    manifest: null,
    stats: null,
    gone: false,
    setMode: vi.fn(async () => {}),
    whenSilent: () => new Promise<Snapshot | null>(() => {}),
    range: { from: 0, to: 40 },
    position: 40,
    seek: vi.fn(async (index: number) => ({ index, epoch: 9, frame: null, timings: {} })),
  })
  const known = new Set<string>()
  let hear: DreamListener = () => {}
  const worlds: WorldPort = {
    dream: (async () =>
      Object.assign(await (ports.dream?.() ?? dream), {
        manifest: MANIFEST,
        on: (listener: DreamListener) => {
          hear = listener
        },
      })) as unknown as WorldPort['dream'],
    simulator: async () => simulator,
    dreamCanvas: null,
    resizeDream: async () => {},
    dropDream: vi.fn(async () => {}),
    remote: vi.fn(async () => remote),
    dropRemote: vi.fn(async () => {}),
    close: async () => {},
  }
  const words: WordPort = {
    learn: (texts) => {
      for (const text of texts) known.add(text)
    },
    byHeart: (text) => (known.has(text) ? { text } : null),
    know: () => {},
    encode: ports.encode ?? (async (text) => ({ text, embedding: new Float32Array([1]) })),
    close: async () => {},
  }
  const player = new Player(store, stage, worlds, words, { ...PARAMS, ...overrides })
  return { store, stage, dream, simulator, remote, worlds, player, tell: (event: DreamEvent) => hear(event) }
}

/** From now on a dream tells its state only once the answer is called. */
function slowToTell(dream: { snapshot(): Promise<Snapshot> }): () => void {
  let answer = () => {}
  const answered = new Promise<void>((resolve) => {
    answer = resolve
  })
  const snapshot = dream.snapshot.bind(dream)
  dream.snapshot = () => answered.then(snapshot)
  return () => answer()
}

describe('Player', () => {
  it('begins with the first preset and the seed of the address, and shows the first frame', async () => {
    const { player, store, stage } = setup()
    await player.setView('dream')
    expect(store.getState()).toMatchObject({
      phase: 'ready',
      seed: 7,
      tick: 0,
      prompt: 'a snowy night drive',
      shown: 'dream',
    })
    expect(stage.shown).toHaveLength(1)
  })

  it('turns the drive into new words without a reset', async () => {
    const { player, store, dream } = setup()
    await player.setView('dream')
    await player.step({ slide: 0, light: 1 })
    await player.setPrompt('fog in the woods')
    const tick = await player.step({ slide: 0, light: 1 })
    expect(tick?.index).toBe(2)
    expect(store.getState().prompt).toBe('fog in the woods')
    expect(dream.calls.filter((call) => call === 'reset')).toHaveLength(1)
  })

  it('keeps the newest words where older ones are still being read', async () => {
    const waiting = new Map<string, () => void>()
    const { player, store } = setup(
      {},
      {
        encode: (text) =>
          new Promise((resolve) =>
            waiting.set(text, () => resolve({ text, embedding: new Float32Array([1]) })),
          ),
      },
    )
    await player.setView('dream')
    const slow = player.setPrompt('slow words')
    const quick = player.setPrompt('quick words')
    waiting.get('quick words')?.()
    await quick
    waiting.get('slow words')?.()
    await slow
    expect((await player.snapshot()).prompt!.text).toBe('quick words')
    expect(store.getState().prompt).toBe('quick words')
  })

  it('lets each world bring its own words where nobody chose any', async () => {
    const { player, store } = setup({ view: 'simulator' })
    store.setState({ presets: [{ id: 'plain', text: 'green meadows' }] })
    await player.setView('simulator')
    expect(store.getState().prompt).toBe('green meadows')
    await player.setView('dream')
    expect(store.getState().prompt).toBe('a snowy night drive')
    await player.setPrompt('fog in the woods')
    await player.setView('simulator')
    expect(store.getState().prompt).toBe('fog in the woods')
  })

  it('says why words could not be read, and keeps driving under the old ones', async () => {
    const { player, store } = setup(
      {},
      { encode: async () => Promise.reject(new OneiroError('X', 'The encoder is not there.')) },
    )
    await player.setView('dream')
    expect(await player.setPrompt('unheard words')).toBe(false)
    expect(store.getState().notices.map(({ text }) => text)).toEqual(['The encoder is not there.'])
    expect(store.getState().prompt).toBe('a snowy night drive')
    expect((await player.step())?.index).toBe(1)
  })

  it('does not hold back the first frame for words that must be read', async () => {
    let read = () => {}
    const { player, store } = setup(
      { prompt: 'never heard' },
      {
        encode: (text) =>
          new Promise((resolve) => (read = () => resolve({ text, embedding: new Float32Array([1]) }))),
      },
    )
    await player.setView('dream')
    expect(store.getState()).toMatchObject({ phase: 'ready', prompt: 'never heard' })
    expect((await player.snapshot()).prompt!.text).toBe('a snowy night drive')
    read()
    await vi.waitFor(async () => expect((await player.snapshot()).prompt!.text).toBe('never heard'), 10_000)
  })

  it('shows both worlds under the same seed and action', async () => {
    const { player, store, stage, dream, simulator } = setup()
    await player.setView('dream')
    await player.setView('both')
    await player.step({ slide: 1, light: 1 })
    expect(store.getState().shown).toBe('both')
    expect(stage.panes).toBe(2)
    expect(
      stage.shown
        .slice(-2)
        .map(([pane]) => pane)
        .sort(),
    ).toEqual([0, 1])
    expect(dream.calls.at(-1)).toBe('step')
    expect((await simulator.snapshot()).tick).toBe(1)
  })

  it('goes on in the simulator from what the dream read, with its past, and comes back to where the dream was left', async () => {
    const { player, store, simulator, dream } = setup()
    await player.setView('dream')
    for (let i = 0; i < 25; i++) await player.step({ slide: 1, light: 1 })
    await player.setPrompt('fog in the woods')
    await player.step({ slide: 1, light: 1 })
    const { state: left } = await dream.snapshot()
    await player.setView('simulator')
    expect(store.getState()).toMatchObject({ shown: 'simulator', tick: 26, prompt: 'fog in the woods' })
    expect(store.getState().past).toEqual({ from: 0, to: 26 })
    const [seed, moments] = simulator.retrace.mock.lastCall!
    expect(seed).toBe(7)
    expect(moments.map(({ tick, text, telemetry }) => [tick, text, telemetry.speed])).toEqual([
      [0, 'a snowy night drive', 10],
      [10, 'a snowy night drive', 30],
      [20, 'a snowy night drive', 50],
      [26, 'fog in the woods', 62],
    ])
    await player.rewind.rewind(10)
    expect(store.getState().tick).toBe(10)
    expect((await simulator.snapshot()).state.state![0]).toBe(30)
    expect((await player.step({ slide: 1, light: 0 }))?.index).toBe(11)
    expect(player.log().begin).toMatchObject({ restore: { tick: 10, modelHash: 'simulator' } })
    expect(store.getState().past).toEqual({ from: 0, to: 11 })

    const resets = () => dream.calls.filter((call) => call === 'reset').length
    await player.setView('dream')
    expect(resets()).toBe(1)
    expect(store.getState()).toMatchObject({ shown: 'dream', tick: 26, past: { from: 0, to: 26 } })
    expect((await dream.snapshot()).state).toEqual(left)
    expect(player.log().begin).toHaveProperty('reset')
    expect(store.getState().notices.map(({ text }) => text)).toEqual([
      expect.stringContaining('most like the dreamed one'),
      'The dream goes on where you left it, at tick 26.',
    ])
  })

  it('goes on side by side and back with one and the same drive of the dream', async () => {
    const { player, store, simulator, dream } = setup()
    await player.setView('dream')
    for (let i = 0; i < 25; i++) await player.step({ slide: 1, light: 1 })
    await player.setView('both')
    expect(store.getState()).toMatchObject({ shown: 'both', tick: 25, past: { from: 0, to: 25 } })
    await player.step({ slide: 1, light: 1 })
    expect([(await dream.snapshot()).tick, (await simulator.snapshot()).tick]).toEqual([26, 26])
    await player.rewind.rewind(16)
    expect([(await dream.snapshot()).tick, (await simulator.snapshot()).tick]).toEqual([10, 10])
    await player.rewind.seek(26)
    for (let i = 0; i < 4; i++) await player.step({ slide: -1, light: 1 })
    expect(player.log().modelHash).toBe('dream')
    expect(player.log().actions).toHaveLength(30)
    const there = (await simulator.snapshot()).state.state
    await player.setView('simulator')
    expect(store.getState()).toMatchObject({ shown: 'simulator', tick: 30, past: { from: 0, to: 30 } })
    expect((await simulator.snapshot()).state.state).toEqual(there)
    await player.setView('dream')
    expect(player.log().modelHash).toBe('dream')
    expect(player.log().actions).toHaveLength(30)
    expect(dream.calls.filter((call) => call === 'reset')).toHaveLength(1)
  })

  it('puts the simulator back where it was when both are wished for and then not, and says nothing of it', async () => {
    const { player, store, simulator, dream } = setup()
    await player.setView('simulator')
    for (let i = 0; i < 5; i++) await player.step({ slide: 1, light: 1 })
    const { state } = await simulator.snapshot()
    const reset = dream.reset.bind(dream)
    let open = () => {}
    dream.reset = async (options) => {
      await new Promise<void>((resolve) => {
        open = resolve
      })
      return reset(options)
    }
    const both = player.setView('both')
    await vi.waitFor(() => expect(simulator.calls.filter((call) => call === 'reset')).toHaveLength(2), 10_000)
    await player.setView('simulator')
    open()
    await both
    expect(store.getState()).toMatchObject({ shown: 'simulator', tick: 5, past: { from: 0, to: 5 } })
    expect((await simulator.snapshot()).state).toEqual(state)
    expect((await player.step({ slide: 1, light: 1 }))?.index).toBe(6)
    expect(store.getState().notices).toEqual([])
  })

  it('leaves the dream for another drive in the simulator: coming back, it begins anew and says so', async () => {
    const { player, store } = setup()
    await player.setView('dream')
    for (let i = 0; i < 5; i++) await player.step()
    await player.setView('simulator')
    await player.reset(8)
    await player.step()
    await player.setView('dream')
    expect(store.getState()).toMatchObject({ shown: 'dream', tick: 0, seed: 8 })
    expect(store.getState().notices.at(-1)?.text).toMatch(/begins anew/)
  })

  it('says where nothing reads the car of a dream, and the simulator begins anew', async () => {
    const { player, store, simulator } = setup(
      {},
      { dream: async () => new FakeWorld({ modelHash: 'dream' }) },
    )
    await player.setView('dream')
    for (let i = 0; i < 5; i++) await player.step()
    await player.setView('simulator')
    expect(store.getState()).toMatchObject({ shown: 'simulator', tick: 0 })
    expect(simulator.calls).toContain('reset')
    expect(store.getState().notices.at(-1)?.text).toMatch(/Nothing says where the car/)
  })

  it('lets the simulator stand in behind the message where the dream cannot be opened', async () => {
    const missing = new OneiroError('ASSET_MISSING', 'world.json is missing.')
    const { player, store, simulator } = setup({}, { dream: async () => Promise.reject(missing) })
    await player.setView('dream')
    await vi.waitFor(() => expect(store.getState().phase).toBe('ready'), 10_000)
    expect(store.getState()).toMatchObject({ shown: 'simulator', view: 'dream' })
    expect(store.getState().failure).toMatchObject({
      code: 'ASSET_MISSING',
      detail: 'world.json is missing.',
    })
    expect(simulator.calls).toContain('reset')
    await player.actOnFailure('simulator')
    expect(store.getState()).toMatchObject({ view: 'simulator', failure: null })
  })

  it('lets go of every key and pauses when the page loses the focus, and goes on when it is back', async () => {
    const { player, store } = setup({ clock: 'realtime' })
    await player.setView('dream')
    expect(player.playing).toBe(true)
    player.driver.press('ArrowUp', FAKE.moves[3]!, 1)
    expect(store.getState().held.light).toBe(1)
    player.away()
    expect(store.getState()).toMatchObject({ paused: 'away', held: { slide: 0, light: 0 } })
    player.back()
    expect(player.playing).toBe(true)
    await player.close()
  })

  it.each([false, true])(
    'goes on when the scrubber is let go of, unless Space was pressed: %s',
    async (space) => {
      const { player, store } = setup({ clock: 'realtime' })
      await player.setView('dream')
      await player.rewind.seek(0)
      expect(store.getState().paused).toBe('scrub')
      if (space) player.togglePause()
      player.rewind.seekEnd()
      expect(store.getState().paused).toBe(space ? 'user' : null)
      expect(player.playing).toBe(!space)
      await player.close()
    },
  )

  it('does not go on by itself where a person had paused', async () => {
    const { player } = setup({ clock: 'realtime' })
    await player.setView('dream')
    player.pause()
    player.away()
    player.back()
    expect(player.playing).toBe(false)
    await player.close()
  })

  it.each(['pause', 'away', 'togglePause'] as const)(
    'stays paused where %s came while the view changed, and plays on where nothing did',
    async (wish) => {
      const { player, store, dream } = setup({ clock: 'realtime' })
      await player.setView('dream')
      const answer = slowToTell(dream)
      const change = player.setView('simulator')
      await vi.waitFor(() => expect(player.playing).toBe(false), 10_000)
      expect(store.getState().shown).toBe('dream')
      player[wish]()
      answer()
      await change
      expect(store.getState()).toMatchObject({
        shown: 'simulator',
        paused: wish === 'away' ? 'away' : 'user',
      })
      expect(player.playing).toBe(false)
      player.play()
      await player.setView('dream')
      expect(player.playing).toBe(true)
      await player.close()
    },
  )

  it.each([true, false])(
    'plays on at a server, and stands there where it was paused on the way: %s',
    async (pauses) => {
      const { player, store, dream, remote } = setup({ clock: 'realtime' })
      await player.setView('dream')
      const answer = slowToTell(dream)
      const move = player.setPlace('server', { url: 'ws://there' })
      await vi.waitFor(() => expect(player.playing).toBe(false), 10_000)
      if (pauses) player.pause()
      answer()
      await move
      expect(store.getState()).toMatchObject({ place: 'server', paused: pauses ? 'user' : null })
      expect(player.playing).toBe(!pauses)
      expect(remote.setMode).toHaveBeenLastCalledWith(pauses ? 'lockstep' : 'realtime')
      await player.close()
    },
  )

  it('plays on here at once where a move to a server that does not answer is given up', async () => {
    const { player, store, remote } = setup({ clock: 'realtime' })
    await player.setView('dream')
    remote.restore = () => new Promise(() => {})
    void player.setPlace('server', { url: 'ws://there' })
    await vi.waitFor(() => expect(player.playing).toBe(false), 10_000)
    await player.setPlace('device')
    expect(player.playing).toBe(true)
    expect(store.getState()).toMatchObject({ place: 'device', paused: null })
    await player.close()
  })

  it.each(['reset', 'rewind', 'step'] as const)(
    'a %s in the middle of a change of view is of the view that comes',
    async (wish) => {
      const { player, store, dream } = setup({ clock: 'realtime' })
      await player.setView('dream')
      player.pause()
      for (let i = 0; i < 25; i++) await player.step({ slide: 1, light: 0 })
      const at = store.getState().tick
      const answer = slowToTell(dream)
      const change = player.setView('simulator')
      await new Promise((resolve) => setTimeout(resolve, 50))
      const wished = {
        reset: () => player.reset(5),
        rewind: () => player.rewind.rewind(10),
        step: () => player.step(),
      }
      const done = wished[wish]()
      answer()
      await Promise.all([change, done])
      const { tick } = store.getState()
      expect(store.getState()).toMatchObject({ shown: 'simulator', failure: null })
      expect(tick).toBe({ reset: 0, rewind: 10, step: at + 1 }[wish])
      await player.setView('dream')
      expect(store.getState()).toMatchObject({ shown: 'dream', failure: null })
      await player.close()
    },
  )

  it('is as bright after a change of view as the step before it was', async () => {
    const { player, stage } = setup({ clock: 'realtime' })
    await player.setView('dream')
    await player.step({ slide: 0, light: 1 })
    expect(stage.dim).toBe(1)
    await player.setView('simulator')
    expect(stage.dim).toBe(1)
    player.play()
    player.pause()
    expect(stage.dim).toBe(0.82)
    await player.close()
  })

  it('goes back in time and drives on from there', async () => {
    const { player, store } = setup()
    await player.setView('dream')
    for (let i = 0; i < 25; i++) await player.step({ slide: 1, light: 0 })
    expect(store.getState().past).toEqual({ from: 0, to: 25 })
    await player.rewind.rewind(10)
    expect(store.getState().tick).toBe(10)
    const tick = await player.step({ slide: -1, light: 0 })
    expect(tick?.index).toBe(11)
    expect(player.log().actions).toHaveLength(11)
  })

  it('goes back to the words of then, and keeps words that are still being read', async () => {
    let read = () => {}
    const encode = (text: string) =>
      new Promise<{ text: string; embedding: Float32Array }>((resolve) => {
        read = () => resolve({ text, embedding: new Float32Array([1]) })
      })
    const { player, store } = setup({}, { encode })
    await player.setView('dream')
    for (let i = 0; i < 15; i++) await player.step()
    const saying = player.setPrompt('fog in the woods')
    read()
    await saying
    for (let i = 0; i < 10; i++) await player.step()
    await player.rewind.rewind(20)
    expect(store.getState()).toMatchObject({ tick: 0, prompt: 'a snowy night drive' })
    await player.step()
    expect((await player.snapshot()).prompt!.text).toBe('a snowy night drive')
    await player.reset()
    expect((await player.snapshot()).prompt!.text).toBe('a snowy night drive')

    for (let i = 0; i < 15; i++) await player.step()
    const late = player.setPrompt('rain at dusk')
    await player.rewind.rewind(10)
    expect(store.getState().prompt).toBe('rain at dusk')
    read()
    await late
    expect((await player.snapshot()).prompt!.text).toBe('rain at dusk')
  })

  it('begins with words that came before there was a drive, or while it began', async () => {
    const { player, store } = setup()
    await player.setPrompt('fog in the woods')
    const opening = player.setView('dream')
    await opening
    await vi.waitFor(
      async () => expect((await player.snapshot()).prompt!.text).toBe('fog in the woods'),
      10_000,
    )
    expect(store.getState().prompt).toBe('fog in the woods')
    const switching = player.setView('simulator')
    void player.setPrompt('rain at dusk')
    await switching
    await vi.waitFor(async () => expect((await player.snapshot()).prompt!.text).toBe('rain at dusk'), 10_000)
  })

  it.each(['first', 'later'])(
    'shows the view that was asked for last, %s, however long the others take',
    async (when) => {
      let open = () => {}
      const dream = new FakeWorld({ modelHash: 'dream' })
      const slow = vi.spyOn(dream, 'reset')
      const { player, store } = setup({ clock: 'realtime' }, { dream: async () => dream })
      if (when === 'later') await player.setView('simulator')
      slow.mockImplementationOnce(async (options) => {
        await new Promise<void>((resolve) => {
          open = resolve
        })
        return FakeWorld.prototype.reset.call(dream, options)
      })
      const left = player.setView('dream')
      await vi.waitFor(() => expect(slow).toHaveBeenCalled(), 10_000)
      await player.setView('simulator')
      open()
      await left
      expect(store.getState()).toMatchObject({ view: 'simulator', shown: 'simulator' })
      expect(player.world?.info.modelHash).toBe('simulator')
      const { length } = dream.calls
      await vi.waitFor(() => expect(store.getState().tick).toBeGreaterThan(2), 10_000)
      expect(dream.calls).toHaveLength(length)
      await player.close()
    },
  )

  it('leaves what breaks on the page itself to the console, and drives on', async () => {
    const { player, store, stage } = setup()
    const report = vi.fn()
    vi.stubGlobal('reportError', report)
    await player.setView('dream')
    const torn = new Error('torn canvas')
    vi.spyOn(stage, 'present').mockImplementationOnce(() => {
      throw torn
    })
    await player.step()
    expect((await player.step())?.index).toBe(2)
    vi.unstubAllGlobals()
    expect(report.mock.calls).toEqual([[torn]])
    expect(store.getState().failure).toBeNull()
  })

  it.each([-1, 0.5, Number.NaN, 'x', null, 2 ** 53])(
    'refuses %j as a seed, and nothing changes',
    async (seed) => {
      const { player, store, dream } = setup()
      await player.setView('dream')
      await player.step()
      const before = store.getState()
      await expect(player.reset(seed as number)).rejects.toMatchObject({ code: 'BAD_INPUT' })
      expect(store.getState()).toEqual(before)
      expect(dream.calls.filter((call) => call === 'reset')).toHaveLength(1)
      await player.reset(8)
      expect(store.getState()).toMatchObject({ seed: 8, tick: 0 })
    },
  )

  it('goes back to the seed of the drive where the world refuses to begin anew', async () => {
    const { player, store, dream } = setup()
    await player.setView('dream')
    vi.spyOn(dream, 'reset').mockRejectedValueOnce(new Error('no room'))
    await expect(player.reset(8)).rejects.toThrow('no room')
    expect(store.getState()).toMatchObject({ seed: 7, failure: null })
  })

  it.each([{ slide: 0.5, light: 1 }, null, {}, 5])(
    'refuses %j as an action, and the drive goes on',
    async (action) => {
      const { player, store, simulator } = setup({ clock: 'realtime' })
      await player.setView('dream')
      await expect(player.step(action as never)).rejects.toMatchObject({ code: 'BAD_INPUT' })
      expect(store.getState()).toMatchObject({ paused: null, failure: null, shown: 'dream' })
      expect(player.playing).toBe(true)
      expect(simulator.calls).toEqual([])
      await player.close()
    },
  )

  it('says in a card what broke in mid-play', async () => {
    const { player, store, dream } = setup()
    await player.setView('dream')
    dream.failNextStep(new OneiroError('DEVICE_LOST', 'The GPU device was lost.'))
    await expect(player.step()).rejects.toThrow('lost')
    expect(store.getState().failure).toMatchObject({ code: 'DEVICE_LOST' })
  })

  it('begins its timeline anew from where a replaced worker is', async () => {
    const { player, store, dream, tell } = setup()
    await player.setView('dream')
    for (let i = 0; i < 12; i++) await player.step()
    const checkpoint = await player.snapshot()
    for (let i = 0; i < 3; i++) await player.step()
    tell({ type: 'stalled', message: 'No answer.' })
    await dream.restore(checkpoint)
    tell({ type: 'recovered', tick: 12, message: 'Play goes on.' })
    await vi.waitFor(() => expect(store.getState().tick).toBe(12), 10_000)
    expect((await player.step())?.index).toBe(13)
    expect(store.getState().past).toEqual({ from: 12, to: 13 })
  })

  it('tells a replaced worker the words that came after its checkpoint', async () => {
    const { player, store, dream, tell } = setup()
    await player.setView('dream')
    const checkpoint = await player.snapshot()
    await player.setPrompt('fog in the woods')
    tell({ type: 'stalled', message: 'No answer.' })
    await dream.restore(checkpoint)
    tell({ type: 'recovered', tick: 0, message: 'Play goes on.' })
    await vi.waitFor(
      async () => expect((await player.snapshot()).prompt!.text).toBe('fog in the woods'),
      10_000,
    )
    expect(store.getState().prompt).toBe('fog in the woods')
  })

  it('brings two worlds back to one tick where the worker of one was replaced', async () => {
    const { player, store, dream, simulator, tell } = setup()
    await player.setView('both')
    for (let i = 0; i < 12; i++) await player.step()
    const checkpoint = await dream.snapshot()
    for (let i = 0; i < 13; i++) await player.step()
    tell({ type: 'stalled', message: 'No answer.' })
    await dream.restore(checkpoint)
    tell({ type: 'recovered', tick: 12, message: 'Play goes on.' })
    await vi.waitFor(() => expect(store.getState().tick).toBe(20), 10_000)
    expect([(await dream.snapshot()).tick, (await simulator.snapshot()).tick]).toEqual([20, 20])
  })

  it('says at once where the dream cannot be brought back, even while nobody drives', async () => {
    const { player, store, tell } = setup()
    await player.setView('dream')
    tell({ type: 'failed', error: new OneiroError('WORKER_FAILED', 'It died.'), message: 'It died.' })
    expect(store.getState().failure).toMatchObject({ code: 'WORKER_FAILED' })
  })

  it('hands a drive over to a server and back, from the tick it is at', async () => {
    const { player, store, dream, remote, worlds } = setup()
    await player.setView('dream')
    await player.step({ slide: 0, light: 1 })
    await player.setPlace('server', { url: 'ws://there' })
    expect(store.getState()).toMatchObject({ place: 'server', server: 'ws://there', tick: 1 })
    expect(remote.calls).toContain('restore')
    expect(remote.setMode).toHaveBeenLastCalledWith('lockstep')
    await player.setPrompt('words that nobody knows here')
    expect((await player.step({ slide: 0, light: 1 }))?.index).toBe(2)
    expect(() => player.log()).toThrow('keeps no log')
    await player.setPlace('device')
    expect(store.getState()).toMatchObject({ place: 'device', tick: 2 })
    expect(dream.calls.filter((call) => call === 'restore')).toHaveLength(1)
    expect(worlds.dropRemote).toHaveBeenLastCalledWith(null)
  })

  it('goes back on a server to the very tick that is asked for', async () => {
    const { player, store, remote } = setup()
    await player.setView('dream')
    await player.setPlace('server', { url: 'ws://there' })
    expect(store.getState().past).toEqual({ from: 0, to: 40 })
    await player.rewind.rewind(17)
    expect(remote.seek).toHaveBeenLastCalledWith(23)
    await player.rewind.seek(99)
    expect(remote.seek).toHaveBeenLastCalledWith(40)
    expect(store.getState().tick).toBe(40)
  })

  it('drives on while a server reads words, and goes back from them to those of then', async () => {
    const { player, store, remote } = setup()
    await player.setView('dream')
    await player.setPlace('server', { url: 'ws://there' })
    let read = () => {}
    vi.spyOn(remote, 'setPrompt').mockReturnValueOnce(
      new Promise((resolve) => {
        read = () => resolve({ tick: 2 })
      }),
    )
    const saying = player.setPrompt('fog in the woods')
    expect((await player.step())?.index).toBe(1)
    expect(store.getState().prompt).toBe('fog in the woods')
    await player.rewind.rewind(10)
    expect(store.getState().prompt).toBe('a snowy night drive')
    read()
    await saying
    expect(store.getState().prompt).toBe('a snowy night drive')
  })

  it.each([
    ['from what was seen last', true, 2],
    ['from the beginning of the drive', false, 0],
  ])('dreams on by itself when the server is gone for good, %s', async (from, isSeen, tick) => {
    const { player, store, remote, worlds } = setup()
    await player.setView('dream')
    await player.setPlace('server', { url: 'ws://there' })
    for (let i = 0; i < 2; i++) await player.step({ slide: 0, light: 1 })
    const seen = isSeen ? await remote.snapshot() : undefined
    const onLost = vi.mocked(worlds.remote).mock.lastCall![1]
    onLost('The server is gone.', seen)
    expect(store.getState().notices.at(-1)?.text).toContain(from)
    await vi.waitFor(() => expect(worlds.dropRemote).toHaveBeenLastCalledWith(null), 10_000)
    expect(store.getState()).toMatchObject({ place: 'device', shown: 'dream', failure: null, tick })
    expect((await player.step())?.index).toBe(tick + 1)
  })

  it.each(['the step fails first', 'the news comes first'])(
    'plays on by itself in real time when the server is gone for good, where %s',
    async (order) => {
      const { player, store, remote, worlds } = setup({ clock: 'realtime' })
      await player.setView('dream')
      await player.setPlace('server', { url: 'ws://there' })
      await vi.waitFor(() => expect(store.getState().tick).toBeGreaterThan(1), 10_000)
      const seen = await remote.snapshot()
      const onLost = vi.mocked(worlds.remote).mock.lastCall![1]
      const failed = () => {
        remote.gone = true
        remote.failNextStep(new OneiroError('CONNECTION_LOST', 'Nobody there.'))
      }
      if (order === 'the step fails first') {
        failed()
        await vi.waitFor(() => expect(player.playing).toBe(false), 10_000)
        onLost('The server is gone.', seen)
      } else {
        onLost('The server is gone.', seen)
        failed()
      }
      await vi.waitFor(() => expect(worlds.dropRemote).toHaveBeenLastCalledWith(null), 10_000)
      expect(store.getState()).toMatchObject({ place: 'device', shown: 'dream', failure: null, paused: null })
      expect(player.playing).toBe(true)
      const { tick } = store.getState()
      await vi.waitFor(() => expect(store.getState().tick).toBeGreaterThan(tick), 10_000)
      await player.close()
    },
  )

  it('says that a page over https needs wss://, and stays where it is', async () => {
    vi.stubGlobal('location', { protocol: 'https:' })
    const { player, store, worlds } = setup()
    await player.setView('dream')
    await player.setPlace('server', { url: 'ws://box:7700' })
    vi.unstubAllGlobals()
    expect(store.getState()).toMatchObject({ place: 'device', moving: null, failure: null })
    expect(store.getState().notices.at(-1)?.text).toMatch(/wss:\/\/box:7700/)
    expect(worlds.remote).not.toHaveBeenCalled()
  })

  it('stays where it is when the server does not answer, and asks for one when none was named', async () => {
    const { player, store, worlds } = setup()
    await player.setView('dream')
    await player.setPlace('server')
    expect(store.getState()).toMatchObject({ choosing: true, place: 'device' })
    vi.mocked(worlds.remote).mockRejectedValueOnce(new OneiroError('CONNECTION_LOST', 'Nobody there.'))
    await player.setPlace('server', { url: 'ws://nowhere' })
    expect(store.getState()).toMatchObject({ place: 'device', moving: null, failure: null })
    expect(store.getState().notices.at(-1)?.text).toBe('Nobody there.')
    expect((await player.step())?.index).toBe(1)
  })

  it('waits in the line of a server no longer than it is asked to, and says nothing of it then', async () => {
    const { player, store, worlds, remote } = setup()
    await player.setView('dream')
    const lines: AbortSignal[] = []
    const wait = (_: unknown, __: unknown, wish: AbortSignal) => {
      lines.push(wish)
      return new Promise<never>((_, reject) => wish.addEventListener('abort', () => reject(wish.reason)))
    }
    vi.mocked(worlds.remote).mockImplementation(wait)
    const first = player.setPlace('server', { url: 'ws://full' })
    await player.setPlace('server', { url: 'ws://full' })
    expect(store.getState().moving).toBe('server')
    await player.setPlace('device')
    await first
    expect(store.getState()).toMatchObject({ place: 'device', moving: null, loading: null, notices: [] })
    const second = player.setPlace('server', { url: 'ws://full' })
    const third = player.setPlace('server', { url: 'ws://full/too' })
    await second
    await player.setView('simulator')
    await third
    expect(store.getState()).toMatchObject({ moving: null, shown: 'simulator', notices: [] })
    expect(lines.map(({ aborted }) => aborted)).toEqual([true, true, true])
    vi.mocked(worlds.remote).mockResolvedValue(remote as never)
    await player.setView('dream')
    await player.setPlace('server', { url: 'ws://free' })
    expect(store.getState()).toMatchObject({ place: 'server', server: 'ws://free' })
  })

  it.each([
    ['from what was seen last, with the words that it never heard', true],
    ['from the beginning where nothing was seen', false],
  ])('comes home at once from a server that does not answer, %s', async (_, isSeen) => {
    const { player, store, remote, dream } = setup()
    await player.setView('dream')
    await player.setPlace('server', { url: 'ws://there' })
    for (let i = 0; i < 2; i++) await player.step()
    const seen = isSeen ? await remote.snapshot() : null
    const never = () => new Promise<never>(() => {})
    const lost = new OneiroError('WORLD_CLOSED', 'It was closed.')
    let close = () => {}
    vi.spyOn(remote, 'step').mockImplementation(never)
    vi.spyOn(remote, 'snapshot').mockImplementation(never)
    vi.spyOn(remote, 'setPrompt').mockReturnValue(
      new Promise((_, reject) => {
        close = () => reject(lost)
      }),
    )
    void player.setPrompt('rain at dusk')
    void player.step()
    remote.whenSilent = async () => seen
    await player.setPlace('device')
    close()
    expect(store.getState()).toMatchObject({ place: 'device', moving: null, tick: isSeen ? 2 : 0 })
    await vi.waitFor(async () => expect((await dream.snapshot()).prompt!.text).toBe('rain at dusk'), 10_000)
    expect(store.getState().notices.map(({ text }) => text)).toEqual(
      isSeen ? [] : ['Nothing of this drive is known here, so it began anew.'],
    )
    expect((await player.step())?.index).toBe(isSeen ? 3 : 1)
  })

  it('goes from one server to another, and stays on the one where the other cannot be had', async () => {
    const { player, store, worlds, remote } = setup()
    await player.setView('dream')
    await player.setPlace('server', { url: 'ws://there' })
    vi.mocked(worlds.remote).mockRejectedValueOnce(new OneiroError('CONNECTION_LOST', 'Nobody there.'))
    await player.setPlace('server', { url: 'ws://nowhere' })
    expect(store.getState()).toMatchObject({ place: 'server', moving: null, server: 'ws://there' })
    expect(worlds.dropRemote).toHaveBeenLastCalledWith(remote)
    const other = Object.assign(new FakeWorld({ modelHash: 'dream' }), { ...remote, calls: [] })
    vi.mocked(worlds.remote).mockResolvedValueOnce(other as never)
    await player.setPlace('server', { url: 'ws://elsewhere' })
    expect(store.getState()).toMatchObject({ place: 'server', server: 'ws://elsewhere' })
    expect(worlds.dropRemote).toHaveBeenLastCalledWith(other)
  })
})
