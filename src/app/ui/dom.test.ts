import { afterEach, expect, it, vi } from 'vitest'
import { iconButton } from './dom'

afterEach(() => vi.unstubAllGlobals())

/** As much of an element as a button is made of. */
class FakeElement {
  className = ''
  type = ''
  title = ''
  onclick: ((event: MouseEvent) => void) | null = null
  readonly classList = { add() {} }
  append() {}
  setAttribute() {}
}

it.each([
  ['with the mouse lets go of the button', 1, ['blur', 'begin again']],
  ['with the keyboard stays on it', 0, ['begin again']],
])('a click %s', (_, detail, expected) => {
  const make = () => new FakeElement()
  vi.stubGlobal('document', { createElement: make, createElementNS: make })
  const done: string[] = []
  const button = iconButton('Begin again', 'R', 'M0 0', () => done.push('begin again'))
  const currentTarget = { blur: () => done.push('blur') }
  button.onclick!({ detail, currentTarget } as unknown as PointerEvent)
  expect(done).toEqual(expected)
})
