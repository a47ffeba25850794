import { type Move, spaceOf } from '../../engine/controls'
import { isComposing } from '../input/keyboard'
import { VIEWS, type View } from '../params'
import { type AppState, type Preset, type Store, watch } from '../store'
import { GLYPHS, h, icon, iconButton, letGoAfter, setText, switchButton } from './dom'
import { createHeard } from './heard'
import { arrowOf, faceOf } from './key-caps'
import { createPlaceButton, createPlacePanel, type PlaceCommands } from './place'
import { createPromptBar } from './prompt-bar'

/** Everything a person can ask the page for. */
export interface Commands extends PlaceCommands {
  togglePause(): void
  step(): void
  rewind(): void
  reset(): void
  newSeed(): void
  setSeed(text: string): void
  setView(view: View): void
  /** False where the words could not be read. */
  setPrompt(prompt: Preset | string): Promise<boolean>
  /** Another value of one of the things that words choose between. */
  choose(thing: string, value: string | null): void
  seek(tick: number): void
  seekEnd(): void
  toggleHud(): void
  toggleCruise(): void
  toggleAssist(): void
  toggleBleed(): void
  toggleSound(): void
  fullscreen(): void
  help(): void
  /** Opens what there is to keep and share, at the button that asks for it. */
  share(anchor: HTMLElement): void
  /** Opens the choice of worlds, at the button that asks for it. */
  worlds(anchor: HTMLElement): void
}

const VIEW_NAMES: Record<View, string> = { dream: 'Dream', simulator: 'Simulator', both: 'Both' }

/** The top of the page: the name, what is being dreamt, which world, and the tools. */
export function createHeader(store: Store, commands: Commands): HTMLElement {
  const now = h('p.now')
  const views = h('div.views', { role: 'radiogroup', 'aria-label': 'World' })
  const glider = h('span.views-glider')
  views.append(glider)
  const buttons = VIEWS.map((view) => {
    const button = h<'button'>('button', {
      type: 'button',
      role: 'radio',
      'data-view': view,
      onclick: (event: MouseEvent) => {
        letGoAfter(event)
        commands.setView(view)
      },
    })
    button.append(VIEW_NAMES[view])
    views.append(button)
    return button
  })
  watch(
    store,
    (s) => s.view,
    (view) => {
      const index = VIEWS.indexOf(view)
      views.style.setProperty('--at', String(index))
      for (const [i, button] of buttons.entries()) button.setAttribute('aria-checked', String(i === index))
    },
  )
  watch(
    store,
    (s) => s.simulated,
    (simulated) => {
      views.hidden = !simulated
    },
  )
  watch(
    store,
    (s) => s.prompt,
    (prompt) => {
      now.classList.remove('in')
      void now.offsetWidth
      setText(now, prompt)
      now.classList.add('in')
    },
  )
  const hud = iconButton('Instruments', 'H', GLYPHS.chart, commands.toggleHud)
  const bleed = iconButton('Picture over the whole window', 'B', GLYPHS.bleed, commands.toggleBleed)
  const sound = iconButton('Sound', 'M', GLYPHS.sound, commands.toggleSound)
  watch(
    store,
    (s) => s.simulated,
    (can) => {
      sound.hidden = !can
    },
  )
  const fullScreen = iconButton('Full screen', 'F', GLYPHS.expand, commands.fullscreen)
  fullScreen.classList.add('full-screen')
  // On a small screen the name is the way to other worlds; elsewhere they lie beside the picture.
  const worlds = iconButton('Worlds', '', GLYPHS.down, () => commands.worlds(worlds))
  worlds.classList.add('worlds-open')
  worlds.setAttribute('aria-haspopup', 'menu')
  watch(
    store,
    (s) => s.choosable,
    (choosable) => {
      worlds.hidden = !choosable
    },
  )
  const share = iconButton('Keep and share', '', GLYPHS.link, () => commands.share(share))
  share.setAttribute('aria-haspopup', 'menu')
  const tools = h(
    'div.tools',
    {},
    hud,
    sound,
    bleed,
    share,
    fullScreen,
    iconButton('Keys', '?', GLYPHS.help, commands.help),
  )
  for (const [name, button] of [
    ['hud', hud],
    ['sound', sound],
    ['bleed', bleed],
  ] as const) {
    watch(
      store,
      (s) => s[name],
      (on) => {
        button.classList.toggle('on', on)
        button.setAttribute('aria-pressed', String(on))
      },
    )
  }
  return h(
    'header.top',
    {},
    h('div.brand', {}, h('span.brand-name', {}, 'Oneiro'), worlds, now),
    h('div.top-right', {}, createPlaceButton(store), views, tools, createPlacePanel(store, commands)),
  )
}

/** The bottom of the page: time controls, the prompt, and which keys drive. */
export function createDeck(store: Store, commands: Commands) {
  const prompt = createPromptBar(store, commands.setPrompt)
  const deck = h(
    'footer.deck',
    {},
    h(
      'div.deck-row',
      {},
      createHeard(store, commands.choose),
      createTransport(store, commands),
      h('div.deck-prompt', {}, prompt.chips, prompt.form),
      createKeys(store),
    ),
  )
  watch(
    store,
    (s) => s.listens,
    (listens) => {
      prompt.chips.hidden = prompt.form.hidden = !listens
    },
  )
  return { element: deck, focusPrompt: prompt.focus }
}

function createTransport(store: Store, commands: Commands): HTMLElement {
  const pause = iconButton('Pause', 'Space', GLYPHS.pause, commands.togglePause)
  const seed = h<'input'>('input.seed', {
    type: 'text',
    inputMode: 'numeric',
    name: 'seed',
    title: 'Seed of this drive',
    'aria-label': 'Seed',
    maxLength: 16,
    autocomplete: 'off',
  })
  seed.addEventListener('keydown', (event) => {
    if ((event.key !== 'Enter' && event.key !== 'Escape') || isComposing(event)) return
    event.stopPropagation()
    if (event.key === 'Enter') commands.setSeed(seed.value)
    else seed.value = String(store.getState().seed)
    seed.blur()
  })
  seed.addEventListener('focus', () => {
    store.setState({ typing: true })
    seed.select()
  })
  seed.addEventListener('blur', () => {
    seed.value = String(store.getState().seed)
    store.setState({ typing: false })
  })
  const fitWidth = () => {
    seed.style.width = `${Math.max(2, seed.value.length) + 0.6}ch`
  }
  seed.addEventListener('input', fitWidth)
  watch(
    store,
    (s) => s.seed,
    (value) => {
      seed.value = String(value)
      fitWidth()
    },
  )
  watch(
    store,
    (s) => s.paused !== null || s.lockstep,
    (paused) => {
      pause.replaceChildren(icon(paused ? GLYPHS.play : GLYPHS.pause, paused))
      pause.setAttribute('aria-label', paused ? 'Play' : 'Pause')
      pause.title = `${paused ? 'Play' : 'Pause'} (Space)`
    },
  )
  const cruise = switchButton('Cruise', 'C', GLYPHS.wheel, commands.toggleCruise)
  const assist = switchButton('Assist', 'K', GLYPHS.road, commands.toggleAssist)
  watch(store, (s) => s.cruise, cruise.set)
  watch(store, (s) => s.assist, assist.set)
  watch(
    store,
    (s) => s.simulated,
    (can) => {
      cruise.button.hidden = assist.button.hidden = !can
    },
  )
  const one = iconButton('One tick', '.', GLYPHS.step, commands.step)
  one.classList.add('one-tick')
  const rewind = iconButton('Back a second', 'Backspace', GLYPHS.rewind, commands.rewind)
  watch(
    store,
    (s) => s.past === null,
    (none) => {
      rewind.disabled = none
    },
  )
  return h(
    'div.transport',
    {},
    rewind,
    pause,
    one,
    iconButton('Begin again', 'R', GLYPHS.reset, commands.reset),
    cruise.button,
    assist.button,
    h(
      'label.seed-box',
      {},
      h('span', {}, 'seed'),
      seed,
      iconButton('Another seed', 'N', GLYPHS.dice, commands.newSeed),
    ),
  )
}

/** The keys of the world that is driven, lit while held, and what the clock has to say. */
function createKeys(store: Store): HTMLElement {
  const word = h('span.keys-word')
  const host = h('div.caps')
  let caps: (readonly [Move, HTMLElement])[] = []
  watch(
    store,
    (s) => s.controls,
    (controls) => {
      caps = spaceOf(controls).moves.map((move) => [
        move,
        h(`span.cap.cap-${arrowOf(move)}`, {}, faceOf(move)),
      ])
      // In the order that the grid lays them out.
      const order = ['up', 'left', 'down', 'right', null]
      const sorted = [...caps].sort(([a], [b]) => order.indexOf(arrowOf(a)) - order.indexOf(arrowOf(b)))
      host.replaceChildren(...sorted.map(([, cap]) => cap))
    },
  )
  watch(
    store,
    (s) => s.held,
    (held) => {
      for (const [{ control, value }, cap] of caps) cap.classList.toggle('held', held[control] === value)
    },
  )
  watch(store, keysWord, (text) => setText(word, text))
  return h('div.keys', { 'aria-hidden': 'true' }, word, host)
}

function keysWord(state: AppState): string {
  if (!state.simulated) return 'keys'
  if (state.cruise && !state.paused) return state.handsOn ? 'you drive' : 'cruising'
  return 'drive'
}

/** Seconds by arrow key. */
const SCRUB_KEYS: Readonly<Record<string, number>> = {
  ArrowLeft: -1,
  ArrowDown: -1,
  ArrowRight: 1,
  ArrowUp: 1,
}

/** A thin line along the bottom edge: the ticks that can be gone back to. */
export function createScrubber(store: Store, commands: Commands): HTMLElement {
  const range = h<'input'>('input.scrub', { type: 'range', step: '1', 'aria-label': 'Go back in time' })
  const host = h('div.scrub-host', {}, range)
  let dragging = false
  let pointed = false
  const end = () => {
    if (dragging) commands.seekEnd()
    dragging = false
  }
  range.addEventListener('pointerdown', () => {
    pointed = true
  })
  // Also where nothing moved: keys drive again.
  range.addEventListener('pointerup', () => setTimeout(() => pointed && range.blur()))
  range.addEventListener('input', () => {
    dragging = true
    commands.seek(Number(range.value))
  })
  range.addEventListener('change', () => {
    end()
    if (pointed) range.blur()
    pointed = false
  })
  // Arrow keys go by seconds: seeks land on snapshots, which single ticks would not leave.
  range.addEventListener('keydown', (event) => {
    const seconds = SCRUB_KEYS[event.key]
    if (!seconds) return
    event.preventDefault()
    dragging = true
    range.value = String(Number(range.value) + seconds * store.getState().nominalRate)
    commands.seek(Number(range.value))
  })
  range.addEventListener('keyup', end)
  range.addEventListener('blur', end)
  watch(
    store,
    (s) => s.past,
    (past) => {
      host.classList.toggle('on', past !== null && past.to > past.from)
      if (!past || dragging) return
      range.min = String(past.from)
      range.max = String(past.to)
    },
  )
  const place = () => {
    const { past, tick } = store.getState()
    if (!past) return
    if (!dragging) range.value = String(tick)
    const share = past.to > past.from ? (Number(range.value) - past.from) / (past.to - past.from) : 1
    host.style.setProperty('--at', share.toFixed(4))
  }
  watch(store, (s) => s.tick, place)
  watch(store, (s) => s.past, place)
  return host
}

/** The name of each picture in the side-by-side view, and what pauses or slows the drive. */
export function createPaneLabels(store: Store): HTMLElement {
  const first = h('span.pane-label', {}, 'dream')
  const second = h('span.pane-label', {}, 'simulator')
  const status = h('div.status', { role: 'status' })
  const pace = h('div.pace')
  const host = h('div.pane-labels', {}, h('div.pane-edge'), first, second, pace, status)
  watch(
    store,
    (s) => s.shown,
    (view) => host.classList.toggle('both', view === 'both'),
  )
  for (const [element, word] of [
    [status, statusWord],
    [pace, paceWord],
  ] as const) {
    watch(store, word, (text) => {
      element.classList.toggle('on', text !== '')
      if (text) setText(element, text)
    })
  }
  return host
}

function statusWord(state: AppState): string {
  if (state.phase !== 'ready' || state.failure) return ''
  if (state.paused === 'away') return 'Paused while you were away'
  if (state.paused === 'user') return 'Paused'
  return ''
}

/** What is under way beside the drive, and how slow the drive is. */
function paceWord(state: AppState): string {
  if (state.phase !== 'ready' || state.failure || state.paused) return ''
  if (state.loading) return state.loading.label
  if (state.slowed && state.ticksPerSecond > 0) {
    const speed = Math.min(99, Math.round((state.ticksPerSecond / state.nominalRate) * 100))
    return `${state.place === 'server' ? 'Slow server' : 'Slow motion'} · ${speed} %`
  }
  return ''
}
