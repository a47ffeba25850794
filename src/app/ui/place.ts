import { isComposing } from '../input/keyboard'
import { type Place, parseServer } from '../params'
import { type AppState, notify, type Store, watch } from '../store'
import { h, letGoAfter, setText } from './dom'
import { takeFocus } from './focus'

export interface PlaceCommands {
  setPlace(place: Place, server?: { readonly url: string; readonly token?: string }): void
}

/** Says which machine dreams; a click opens the panel that changes it. */
export function createPlaceButton(store: Store): HTMLElement {
  const word = h('span')
  const button = h<'button'>(
    'button.place',
    {
      type: 'button',
      title: 'Which machine dreams',
      'aria-haspopup': 'dialog',
      onclick: (event: MouseEvent) => {
        letGoAfter(event)
        store.setState(({ choosing }) => ({ choosing: !choosing }))
      },
    },
    h('span.place-light'),
    word,
  )
  watch(store, placeWord, (text) => {
    setText(word, text)
    button.setAttribute('aria-label', `Which machine dreams: ${text}`)
  })
  watch(
    store,
    (s) => (s.moving ? 'moving' : s.place),
    (now) => {
      button.dataset.place = now
    },
  )
  watch(
    store,
    (s) => s.choosing,
    (open) => button.setAttribute('aria-expanded', String(open)),
  )
  return button
}

function placeWord({ moving, place, server }: AppState): string {
  if (moving === 'server') return 'connecting'
  if (moving === 'device') return 'coming back'
  return place === 'server' && server ? hostOf(server) : 'this device'
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : url
}

/** The panel: this device, or a server by its address and token. */
export function createPlacePanel(store: Store, commands: PlaceCommands): HTMLElement {
  const close = () => store.setState({ choosing: false })
  const address = h<'input'>('input.place-input', {
    type: 'text',
    name: 'server',
    placeholder: 'ws://localhost:7700',
    'aria-label': 'Address of the server',
    autocomplete: 'off',
    spellcheck: false,
  })
  const token = h<'input'>('input.place-input', {
    type: 'password',
    name: 'token',
    placeholder: 'token, if it asks for one',
    'aria-label': 'Token of the server',
    autocomplete: 'off',
  })
  const here = h<'button'>(
    'button.place-choice',
    {
      type: 'button',
      onclick: () => {
        commands.setPlace('device')
        close()
      },
    },
    h('strong', {}, 'This device'),
    h('span', {}, 'The network runs in this tab.'),
  )
  const form = h<'form'>(
    'form.place-choice',
    {
      onsubmit: (event: SubmitEvent) => {
        event.preventDefault()
        const url = parseServer(address.value || address.placeholder)
        if (!url) {
          const sentence = `A server's address looks like ws://localhost:7700, but "${address.value}" came.`
          return notify(store, sentence, 'warn')
        }
        commands.setPlace('server', { url, token: token.value.trim() || undefined })
        close()
      },
    },
    h('strong', {}, 'A server'),
    h('span', {}, 'It dreams, and sends this tab about 15 kB a second.'),
    address,
    token,
    h('button.place-go', { type: 'submit' }, 'Dream there'),
  )
  const panel = h('div.place-panel', { role: 'dialog', 'aria-label': 'Which machine dreams' }, here, form)
  for (const input of [address, token]) {
    input.addEventListener('focus', () => store.setState({ typing: true }))
    input.addEventListener('blur', () => store.setState({ typing: false }))
  }
  panel.addEventListener('keydown', (event) => {
    event.stopPropagation()
    if (event.key === 'Escape' && !isComposing(event)) close()
  })
  let giveBack: (() => void) | null = null
  watch(
    store,
    (s) => s.choosing,
    (open) => {
      panel.classList.toggle('open', open)
      panel.inert = !open
      if (open) giveBack = takeFocus(panel, address)
      else giveBack?.()
    },
  )
  watch(
    store,
    (s) => s.server,
    (server) => {
      if (server) address.value = server
    },
  )
  watch(
    store,
    (s) => s.place,
    (place) => {
      here.classList.toggle('on', place === 'device')
      form.classList.toggle('on', place === 'server')
    },
  )
  return panel
}
