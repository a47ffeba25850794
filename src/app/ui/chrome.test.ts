import { afterEach, expect, it, vi } from 'vitest'
import { createAppStore } from '../store'
import { type Commands, createScrubber } from './chrome'
import { fake, happen, stubPage } from './testing'

afterEach(() => vi.unstubAllGlobals())

it('arrow keys on the scrubber go by seconds, and leave it the focus', () => {
  const page = stubPage()
  const store = createAppStore({ tick: 90, past: { from: 0, to: 90 }, nominalRate: 20 })
  const asked: (number | string)[] = []
  const commands = { seek: (tick: number) => asked.push(tick), seekEnd: () => asked.push('end') }
  const [range] = fake(createScrubber(store, commands as unknown as Commands)).children
  range!.focus()
  for (let i = 0; i < 2; i++) happen(range!, 'keydown', { key: 'ArrowLeft' })
  happen(range!, 'keyup', { key: 'ArrowLeft' })
  happen(range!, 'keyup', { key: 'Tab' })
  expect(asked).toEqual([70, 50, 'end'])
  expect(page.activeElement).toBe(range)
})
