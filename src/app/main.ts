import '@fontsource-variable/geist'
import '@fontsource/instrument-serif/400.css'
import '@fontsource/instrument-serif/400-italic.css'
import './styles/base.css'
import './styles/deck.css'
import './styles/overlays.css'
import './styles/worlds.css'
import { spaceOf } from '../engine/controls'
import type { Hud } from '../scene/hud'
import { createStage, type StageFace } from '../scene/stage'
import { arenaAddress, createChooser, fetchWorlds, megabytes, type WorldEntry, worldItems } from './chooser'
import { Clips } from './clips/keep'
import { type FailureAction, failureFrom, sentenceOf } from './failures'
import { attachGamepads } from './input/gamepad'
import { attachKeyboard, type Command } from './input/keyboard'
import { keepPage } from './offline/keep'
import { loadPart } from './offline/newer'
import { isOpening, OPENING, showOpening } from './opening/opening'
import { isNear, namedWorld, parseSeed, readParams, seedOfChance, VIEWS } from './params'
import { Player } from './player/player'
import { Worlds } from './player/worlds'
import { attachDrop, Sharing } from './share'
import { beginningIn } from './share/moment'
import { Sound } from './sound/sound'
import { createAppStore, notify, type Preset, watch } from './store'
import { createBranches } from './time/branches'
import { recall, remember } from './ui/choices'
import type { Commands } from './ui/chrome'
import { createMenu, type MenuItem } from './ui/menu'
import { type Covered, createPage, type PageElements } from './ui/page'
import { createAgentHandle } from './window-handle'
import { Listening } from './words/listen'
import { PLAIN_PRESETS } from './words/presets'
import { Words } from './words/words'

const address = readParams(location.search, 'assets/drive/', document.baseURI, location.hash, recall())
const { notices } = address
let { params } = address
/** When play went on because the focus was back. */
let cameBackAtMs = Number.NEGATIVE_INFINITY
// A token is for this page alone, and a moment for this visit: neither is for the history or for a link that is passed on.
if (params.token || params.moment) history.replaceState(null, '', location.pathname + location.search)
const store = createAppStore({
  hud: params.hud,
  bleed: params.bleed,
  sound: params.sound,
  touch: matchMedia('(pointer: coarse)').matches,
  view: params.view,
  presets: PLAIN_PRESETS,
})

async function start(): Promise<void> {
  // The drive that a visit begins with where nothing else was asked for.
  const opening = isOpening(params, location.search)
  if (opening) params = { ...params, seed: OPENING.seed }
  if (params.moment) {
    const began = await beginningIn(params.moment)
    if (began) params = { ...params, ...began, start: null }
  }
  let player: Player | null = null
  const sound = new Sound(store)
  let early: Preset | string | null = null
  const rewindTicks = () => Math.round(store.getState().nominalRate)
  const begin = (seed?: number) =>
    void player?.reset(seed).catch((error) => notify(store, sentenceOf(error), 'warn'))
  const commands: Commands = {
    // A click on Play, after which the page has the focus again, has played already.
    togglePause: () => performance.now() - cameBackAtMs > 400 && player?.togglePause(),
    step: () => void player?.step().catch(() => {}),
    rewind: () => void player?.rewind.rewind(rewindTicks()),
    reset: () => begin(),
    newSeed: () => begin(seedOfChance()),
    setSeed(text) {
      const seed = parseSeed(text)
      if (seed === null)
        notify(store, `A seed is a whole number from 0 up, but "${text}" came. Type for example 7.`, 'warn')
      else begin(seed)
    },
    setView: (view) => void player?.setView(view),
    setPlace(place, server) {
      const ofLink = server?.url === params.server ? (params.token ?? undefined) : undefined
      void player?.setPlace(place, server && { ...server, token: server.token ?? ofLink })
    },
    async setPrompt(prompt) {
      if (player) return player.setPrompt(prompt)
      early = prompt
      return true
    },
    choose: (thing, value) => void player?.choose(thing, value),
    seek: (tick) => void player?.rewind.seek(tick),
    seekEnd: () => player?.rewind.seekEnd(),
    toggleHud: () => store.setState(({ hud }) => ({ hud: !hud })),
    toggleCruise() {
      if (player) player.driver.cruise = !player.driver.cruise
    },
    toggleAssist() {
      if (!player) return
      player.driver.assist = !player.driver.assist
      remember({ assist: player.driver.assist })
    },
    toggleBleed() {
      store.setState(({ bleed }) => ({ bleed: !bleed }))
      remember({ bleed: store.getState().bleed })
    },
    toggleSound: () => sound.toggle(),
    fullscreen() {
      if (document.fullscreenElement) void document.exitFullscreen()
      else void document.documentElement.requestFullscreen?.().catch(() => {})
    },
    help: () => store.setState(({ help }) => ({ help: !help })),
    share: (anchor) => menu.open(anchor, 'Keep and share', keeping()),
    worlds: (anchor) => menu.open(anchor, 'Worlds', worldItems(listed, named)),
  }
  const act = (action: FailureAction) => void player?.actOnFailure(action)
  const pads = {
    moves: () => spaceOf(store.getState().controls).moves,
    press: (...args: Parameters<Player['driver']['press']>) => player?.driver.press(...args),
    release: (...args: Parameters<Player['driver']['release']>) => player?.driver.release(...args),
  }
  const describe = () => player?.driver.describe() ?? null
  const page = createPage(document.getElementById('app')!, store, commands, pads, act, describe)
  for (const notice of notices) notify(store, notice.sentence, 'warn', 12_000)
  const named = namedWorld(location.search) ?? 'drive'
  const votes: MenuItem[] = []
  let listed: readonly WorldEntry[] = []
  void fetchWorlds(document.baseURI).then((list) => {
    const chooser = createChooser(list, named, document.baseURI)
    if (chooser) page.root.append(chooser)
    listed = list
    store.setState({ choosable: chooser !== null })
    for (const opponent of list.find(({ name }) => name === named)?.opponents ?? [])
      votes.push({
        name: `Vote: this dream or another, blind · ${megabytes(opponent.bytes)} more`,
        run: () => location.assign(arenaAddress(named, opponent, document.baseURI)),
      })
  })

  const worlds = new Worlds(store, {
    assets: params.assets,
    backend: params.backend,
  })
  const encoder = new URL('assets/prompt-encoder/encoder.json', document.baseURI).href
  const words = new Words(store, encoder, params.assets)
  // The network's files start to arrive while three.js is still being parsed.
  if (params.view === 'both' || (params.view === 'dream' && !params.server)) worlds.dream().catch(() => {})
  const stage = await createStage(page.stage, params.stage, (sentence) => {
    page.root.dataset.lean = String(stage.software)
    notify(store, sentence, 'warn', 12_000)
  })
  page.root.dataset.lean = String(stage.software)
  attachFraming(stage, page)
  if (opening) void showOpening(stage, store)
  const asks = params.server !== null && !isNear(params.server, location.hostname)
  player = new Player(store, stage, worlds, words, asks ? { ...params, server: null } : params)
  if (asks) {
    store.setState({ server: params.server, choosing: true })
    notify(
      store,
      `This link leads to the server ${params.server}, which would hear your keys and words.`,
      'warn',
      12_000,
    )
  }
  if (early) void player.setPrompt(early)
  const listening = new Listening(store)
  player.listen((event, world) => listening.hear(event, world))
  window.oneiro = createAgentHandle(player, store, () => worlds.dream())

  const { root } = page
  const part = <T>(load: Promise<T>) =>
    load.catch((error) => {
      notify(store, sentenceOf(error), 'warn')
      return null
    })
  const run = part(
    loadPart(() => import('./run')).then(({ attachRun }) => attachRun(root, store, player!, params.run)),
  )
  const leaveRun = () => void run.then((commands) => commands?.leave())
  const sharing = new Sharing(store, player, leaveRun)
  const keeping = (): MenuItem[] => [
    { name: 'Link to this very moment', run: () => void sharing.linkMoment() },
    { name: 'Link to this drive', run: () => void sharing.linkDrive() },
    { name: 'Save the drive', key: 'L', run: () => sharing.save() },
    { name: 'Open a saved drive', run: () => sharing.choose() },
    { name: 'Keep a still', key: 'I', run: () => void clips.still() },
    { name: 'Keep the last eight seconds', key: 'O', run: () => void clips.loop() },
    ...votes,
  ]
  const menu = createMenu()
  const clips = new Clips(store, player)
  player.listen((event, world) => sound.hear(event, world))
  for (const type of ['pointerdown', 'keydown']) window.addEventListener(type, () => sound.touched())
  root.append(
    menu.element,
    createBranches(store, (branch) => void player?.returnTo(branch)),
  )
  attachDrop(root, (file) => void sharing.openFile(file))
  const keys: Record<Command, () => void> = {
    pause: () => player.togglePause(),
    step: commands.step,
    rewind: commands.rewind,
    reset: commands.reset,
    'new-seed': commands.newSeed,
    prompt: page.focusPrompt,
    hud: commands.toggleHud,
    view: () => commands.setView(VIEWS[(VIEWS.indexOf(store.getState().view) + 1) % VIEWS.length]!),
    cruise: commands.toggleCruise,
    assist: commands.toggleAssist,
    bleed: commands.toggleBleed,
    save: () => sharing.save(),
    still: () => void clips.still(),
    loop: () => void clips.loop(),
    sound: commands.toggleSound,
    run: () => void run.then((commands) => commands?.start()),
    fullscreen: commands.fullscreen,
    help: commands.help,
    escape() {
      store.setState({ help: false, choosing: false })
      leaveRun()
    },
  }
  attachKeyboard({ ...pads, command: (command) => keys[command]() })
  attachGamepads(pads)
  attachAttention(player)
  attachHud(page.hud, player)
  await player.setView(params.view)
  if (params.moment) await sharing.openLink(params.moment)
  if (document.hidden) player.away()
  const { shown } = store.getState()
  const backend = shown === 'simulator' ? '' : (player.world?.info.backend ?? '')
  await keepPage(backend).catch(() => {})
}

/** The picture lies where the controls leave room, or covers the window. */
function attachFraming(stage: StageFace, page: PageElements): void {
  let covered: Covered = { top: 0, bottom: 0 }
  const frame = () => stage.setFraming({ full: store.getState().bleed, ...covered })
  page.onCovered((now) => {
    covered = now
    frame()
  })
  watch(store, (s) => s.bleed, frame)
  stage.onFrames(page.placeFrames)
}

/** Focus loss lets go of every key and pauses; coming back goes on. */
function attachAttention(player: Player): void {
  window.addEventListener('blur', () => player.away())
  const back = () => {
    if (store.getState().paused !== 'away') return
    cameBackAtMs = performance.now()
    player.back()
  }
  window.addEventListener('focus', back)
  document.addEventListener('visibilitychange', () => (document.hidden ? player.away() : back()))
  window.addEventListener('pointerdown', (event) => {
    if (event.pointerType === 'touch') store.setState({ touch: true })
    back()
  })
  window.addEventListener('offline', () => store.setState({ offline: true }))
  window.addEventListener('online', () => store.setState({ offline: false }))
  // A page that is kept, for the way back to it, goes on where it was.
  window.addEventListener('pagehide', ({ persisted }) => void (persisted ? player.away() : player.close()))
}

/** The instruments are a chunk of their own (pixi.js) and load when first asked for. */
function attachHud(host: HTMLElement, player: Player): void {
  let hud: Promise<Hud> | null = null
  const give = (sentence: string) => {
    hud = null
    store.setState({ hud: false })
    notify(store, sentence, 'warn')
  }
  const open = async () => {
    const { createHud } = await loadPart(() => import('../scene/hud'))
    return createHud(
      host,
      () => player.instruments(),
      () => give('The browser took the graphics of the instruments away. Press H to show them again.'),
    )
  }
  watch(
    store,
    (s) => s.hud,
    (on) => {
      if (!on && !hud) return
      hud ??= open()
      hud.then(
        (made) => made.setVisible(store.getState().hud),
        (error) => hud && give(`The instruments could not be shown. ${sentenceOf(error)}`),
      )
    },
  )
}

start().catch((error) => {
  // A part of the page itself is missing: nothing can play, and the veil would stay for ever.
  store.setState({ phase: 'failed', loading: null, failure: failureFrom(error, false) })
})
