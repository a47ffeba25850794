import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { FAKE } from '../../engine/testing/fake-world'
import { attachKeyboard } from './keyboard'

class FakeElement {
  isContentEditable = false
  closest() {
    return null
  }
}
class FakeInput extends FakeElement {
  constructor(readonly type: string) {
    super()
  }
  override closest() {
    return this as never
  }
}

let page: EventTarget
let heard: string[]
let stop: () => void

beforeEach(() => {
  page = new EventTarget()
  heard = []
  vi.stubGlobal('window', page)
  vi.stubGlobal('HTMLElement', FakeElement)
  vi.stubGlobal('HTMLTextAreaElement', class {})
  vi.stubGlobal('HTMLInputElement', FakeInput)
  stop = attachKeyboard({
    moves: () => FAKE.moves,
    press: (key) => heard.push(`press ${key}`),
    release: (key) => heard.push(`release ${key}`),
    command: (command) => heard.push(command),
  })
})
afterEach(() => {
  stop()
  vi.unstubAllGlobals()
})

function send(
  type: 'keydown' | 'keyup',
  code: string,
  key = code,
  target: unknown = new FakeElement(),
  more: object = {},
) {
  const event = new Event(type, { cancelable: true })
  for (const [name, value] of Object.entries({ code, key, target, ...more })) {
    Object.defineProperty(event, name, { value })
  }
  page.dispatchEvent(event)
}

it('lets go of every drive key with Meta, while which macOS tells of none', () => {
  send('keydown', 'KeyW', 'w')
  send('keydown', 'MetaLeft', 'Meta')
  send('keyup', 'MetaLeft', 'Meta')
  expect(heard[0]).toBe('press KeyW')
  expect(heard).toContain('release KeyW')
  expect(heard).toContain('release ArrowLeft')
})

it('leaves a slider its arrow keys, and drives by the others', () => {
  const slider = new FakeInput('range')
  send('keydown', 'ArrowLeft', 'ArrowLeft', slider)
  send('keydown', 'KeyA', 'a', slider)
  expect(heard).toEqual(['press KeyA'])
})

it('pauses by Space while a slider has the focus, and leaves Space to a button', () => {
  send('keydown', 'Space', ' ', new FakeInput('range'))
  send('keydown', 'Space', ' ', new FakeInput('button'))
  expect(heard).toEqual(['pause'])
})

it('neither drives nor commands from a text field', () => {
  send('keydown', 'KeyW', 'w', new FakeInput('text'))
  send('keydown', 'KeyR', 'r', new FakeInput('text'))
  send('keydown', 'KeyR', 'r')
  expect(heard).toEqual(['reset'])
})

it.each([
  [
    'Russian',
    [
      ['KeyH', 'р'],
      ['KeyP', 'з'],
      ['Slash', '.'],
      ['Period', 'ю'],
      ['KeyN', 'т'],
    ],
    ['hud', 'pause', 'prompt', 'step', 'new-seed'],
  ],
  [
    'Greek',
    [
      ['KeyH', 'η'],
      ['Period', '.'],
      ['Slash', '/'],
    ],
    ['hud', 'step', 'prompt'],
  ],
  [
    'Hebrew',
    [
      ['KeyC', 'ב'],
      ['Slash', '.'],
      ['Period', 'ץ'],
    ],
    ['cruise', 'prompt', 'step'],
  ],
  [
    'Arabic',
    [
      ['KeyV', 'ر'],
      ['Slash', 'ظ'],
      ['Period', 'ز'],
    ],
    ['view', 'prompt', 'step'],
  ],
  [
    'Korean',
    [
      ['KeyF', 'ㄹ'],
      ['Slash', '/'],
    ],
    ['fullscreen', 'prompt'],
  ],
  [
    'Thai',
    [
      ['KeyL', 'ส'],
      ['Slash', 'ฝ'],
    ],
    ['save', 'prompt'],
  ],
  [
    'Turkish',
    [
      ['KeyH', 'h'],
      ['Slash', '.'],
      ['KeyP', 'p'],
    ],
    ['hud', 'step', 'pause'],
  ],
  [
    'Dvorak',
    [
      ['KeyJ', 'h'],
      ['KeyE', '.'],
      ['BracketLeft', '/'],
    ],
    ['hud', 'step', 'prompt'],
  ],
  [
    'French',
    [
      ['KeyH', 'h'],
      ['Period', '/'],
      ['Comma', '.'],
    ],
    ['hud', 'prompt', 'step'],
  ],
] as const)(
  'commands by place where a layout types no Latin letters, else by letter: %s',
  (_, keys, commands) => {
    for (const [code, key] of keys) send('keydown', code, key)
    expect(heard).toEqual(commands)
  },
)

it('learns the layout from keys that drive or type, and follows a change of it', () => {
  send('keydown', 'KeyW', 'ц')
  send('keydown', 'Slash', '.')
  send('keydown', 'Slash', ',', undefined, { shiftKey: true })
  send('keydown', 'KeyG', 'g', new FakeInput('text'))
  send('keydown', 'Slash', '.')
  expect(heard).toEqual(['press KeyW', 'prompt', 'help', 'step'])
})

it('leaves keys to an input method that composes, as Safari tells of it too', () => {
  send('keydown', 'Escape', 'Escape', undefined, { isComposing: true })
  send('keydown', 'Escape', 'Escape', undefined, { keyCode: 229 })
  expect(heard).toEqual([])
})
