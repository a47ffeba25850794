import '@fontsource-variable/geist'
import '@fontsource/instrument-serif/400.css'
import '@fontsource/instrument-serif/400-italic.css'
import './styles/base.css'
import './styles/deck.css'
import './styles/overlays.css'
import './styles/worlds.css'
import { writeActionLog } from '../engine/action-log'
import { spaceOf } from '../engine/controls'
import type { Hud } from '../scene/hud'
import { createStage, type StageFace } from '../scene/stage'
import { createAgentHandle } from './agent'
import { recall, remember } from './choices'
import { createChooser, fetchWorlds } from './chooser'
import { download } from './download'
import { type FailureAction, failureFrom, sentenceOf } from './failures'
import { attachGamepads } from './input/gamepad'
import { attachKeyboard, type Command } from './input/keyboard'
import { loadPart } from './newer'
import { keepPage } from './offline/keep'
import { isNear, namedWorld, parseSeed, readParams, seedOfChance, shareUrl, VIEWS } from './params'
import { Player } from './player'
import { PLAIN_PRESETS } from './presets'
import { createAppStore, notify, type Preset, watch } from './store'
import type { Commands } from './ui/chrome'
import { type Covered, createPage, type PageElements } from './ui/page'
import { Words } from './words'
import { Worlds } from './worlds'

const { params, notices } = readParams(
  location.search,
  'assets/drive/',
  document.baseURI,
  location.hash,
  recall(),
)
// A token is for this page alone: not for the history, nor for a link that is passed on.
if (params.token) history.replaceState(null, '', location.pathname + location.search)
const store = createAppStore({
  hud: params.hud,
  bleed: params.bleed,
  touch: matchMedia('(pointer: coarse)').matches,
  view: params.view,
  presets: PLAIN_PRESETS,
})

async function start(): Promise<void> {
  let player: Player | null = null
  let early: Preset | string | null = null
  const rewindTicks = () => Math.round(store.getState().nominalRate)
  const begin = (seed?: number) =>
    void player?.reset(seed).catch((error) => notify(store, sentenceOf(error), 'warn'))
  const commands: Commands = {
    togglePause: () => player?.togglePause(),
    step: () => void player?.step().catch(() => {}),
    rewind: () => void player?.goingBack.rewind(rewindTicks()),
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
    seek: (tick) => void player?.goingBack.seek(tick),
    seekEnd: () => player?.goingBack.seekEnd(),
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
    fullscreen() {
      if (document.fullscreenElement) void document.exitFullscreen()
      else void document.documentElement.requestFullscreen?.().catch(() => {})
    },
    help: () => store.setState(({ help }) => ({ help: !help })),
    share: () => void share(),
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
  void fetchWorlds(document.baseURI).then((list) => {
    const chooser = createChooser(list, namedWorld(location.search) ?? 'drive', document.baseURI)
    if (chooser) page.root.append(chooser)
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
  window.oneiro = createAgentHandle(player, store, () => worlds.dream())

  const keys: Record<Command, () => void> = {
    pause: commands.togglePause,
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
    save: () => save(player!),
    fullscreen: commands.fullscreen,
    help: commands.help,
    escape: () => store.setState({ help: false, choosing: false }),
  }
  attachKeyboard({ ...pads, command: (command) => keys[command]() })
  attachGamepads(pads)
  attachAttention(player)
  attachHud(page.hud, player)
  await player.setView(params.view)
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
  window.addEventListener('focus', () => player.back())
  document.addEventListener('visibilitychange', () => (document.hidden ? player.away() : player.back()))
  window.addEventListener('pointerdown', (event) => {
    if (event.pointerType === 'touch') store.setState({ touch: true })
    player.back()
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

/** Saves the log of the drive, which `npm run replay` plays again. */
function save(player: Player): void {
  try {
    const log = player.log()
    download(writeActionLog(log), `${log.world}-${store.getState().seed}.json`)
  } catch (error) {
    notify(store, sentenceOf(error), 'warn')
  }
}

async function share(): Promise<void> {
  const { view, seed, prompt, start } = store.getState()
  const url = shareUrl(location.href, { view, seed, prompt, start })
  try {
    await navigator.clipboard.writeText(url)
    notify(store, 'The link to this drive is on the clipboard.')
  } catch {
    history.replaceState(null, '', url)
    notify(store, 'The link to this drive is in the address bar.')
  }
}

start().catch((error) => {
  // A part of the page itself is missing: nothing can play, and the veil would stay for ever.
  store.setState({ phase: 'failed', loading: null, failure: failureFrom(error, false) })
})
