import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { Commands } from './commands'
import { attachKeys } from './keys'
import type { ArenaStore } from './store'

class FakeElement extends EventTarget {
  closest() {
    return null
  }
}

let page: EventTarget
const commands = { toggleResults: vi.fn(), closeResults: vi.fn(), answer: vi.fn(), next: vi.fn() }

beforeEach(() => {
  page = new EventTarget()
  vi.stubGlobal('window', page)
  for (const name of ['HTMLElement', 'HTMLInputElement', 'HTMLTextAreaElement'])
    vi.stubGlobal(name, FakeElement)
  let results = false
  commands.toggleResults.mockImplementation(() => (results = true))
  commands.closeResults.mockImplementation(() => (results = false))
  const store = { getState: () => ({ results }) } as unknown as ArenaStore
  attachKeys(store, commands as unknown as Commands)
})
afterEach(() => {
  vi.unstubAllGlobals()
  vi.clearAllMocks()
})

function press(key: string, code: string, more: object = {}): void {
  page.dispatchEvent(Object.assign(new Event('keydown'), { key, code, ...more }))
}

it.each([
  ['Latin', 't', 'KeyT'],
  ['Dvorak', 't', 'KeyK'],
  ['Russian', 'е', 'KeyT'],
  ['Greek', 'τ', 'KeyT'],
  ['Hebrew', 'א', 'KeyT'],
  ['Korean', 'ㅅ', 'KeyT'],
])('results open and close by the key of T: %s', (_, key, code) => {
  press(key, code)
  expect(commands.toggleResults).toHaveBeenCalledTimes(1)
  press(key, code)
  expect(commands.closeResults).toHaveBeenCalledTimes(1)
})

it('another letter on its place is another letter', () => {
  press('y', 'KeyT')
  expect(commands.toggleResults).not.toHaveBeenCalled()
})

it.each([{ isComposing: true }, { keyCode: 229 }])(
  'keys are for the input method while it composes: %o',
  (how) => {
    press('Enter', 'Enter', how)
    press('t', 'KeyT', how)
    expect(commands.next).not.toHaveBeenCalled()
    expect(commands.toggleResults).not.toHaveBeenCalled()
  },
)
