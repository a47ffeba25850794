import { afterEach, beforeEach, expect, it, vi } from 'vitest'
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
    press: (key) => heard.push(`press ${key}`),
    release: (key) => heard.push(`release ${key}`),
    command: (command) => heard.push(command),
  })
})
afterEach(() => {
  stop()
  vi.unstubAllGlobals()
})

function send(type: 'keydown' | 'keyup', code: string, key = code, target: unknown = new FakeElement()) {
  const event = new Event(type, { cancelable: true })
  for (const [name, value] of Object.entries({ code, key, target })) {
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

it('neither drives nor commands from a text field', () => {
  send('keydown', 'KeyW', 'w', new FakeInput('text'))
  send('keydown', 'KeyR', 'r', new FakeInput('text'))
  send('keydown', 'KeyR', 'r')
  expect(heard).toEqual(['reset'])
})
