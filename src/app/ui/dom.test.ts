import { afterEach, expect, it, vi } from 'vitest'
import { iconButton } from './dom'
import { fake, stubPage } from './testing'

afterEach(() => vi.unstubAllGlobals())

it.each([
  ['with the mouse lets go of the button', 1, ['blur', 'begin again']],
  ['with the keyboard stays on it', 0, ['begin again']],
])('a click %s', (_, detail, expected) => {
  stubPage()
  const done: string[] = []
  const button = fake(iconButton('Begin again', 'R', 'M0 0', () => done.push('begin again')))
  const currentTarget = { blur: () => done.push('blur') }
  button.onclick!({ detail, currentTarget } as unknown as PointerEvent)
  expect(done).toEqual(expected)
})
