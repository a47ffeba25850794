import { afterEach, expect, it, vi } from 'vitest'
import { createAppStore } from '../store'
import { type Commands, createDeck } from './chrome'
import { createPlacePanel } from './place'
import { type FakeElement, fake, happen, stubPage } from './testing'

afterEach(() => vi.unstubAllGlobals())

function find(root: FakeElement, className: string): FakeElement[] {
  const here = root.className.split(' ').includes(className) ? [root] : []
  return [...here, ...root.children.flatMap((child) => find(child, className))]
}

function fields() {
  stubPage()
  const store = createAppStore({ choosing: true, seed: 7 })
  const setSeed = vi.fn()
  const deck = fake(createDeck(store, { setSeed } as unknown as Commands).element)
  const panel = fake(createPlacePanel(store, { setPlace: () => {} }))
  return { store, setSeed, panel, prompt: find(deck, 'prompt-input')[0]!, seed: find(deck, 'seed')[0]! }
}

const COMPOSING = [{ isComposing: true }, { keyCode: 229 }]

it.each(COMPOSING)('Escape is for the input method while it composes, in every field: %o', (how) => {
  const { store, panel, prompt, seed, setSeed } = fields()
  prompt.value = 'にほ'
  seed.value = '８'
  happen(prompt, 'keydown', { key: 'Escape', ...how })
  happen(seed, 'keydown', { key: 'Escape', ...how })
  happen(seed, 'keydown', { key: 'Enter', ...how })
  happen(panel, 'keydown', { key: 'Escape', ...how })
  expect([prompt.value, seed.value, store.getState().choosing]).toEqual(['にほ', '８', true])
  expect(setSeed).not.toHaveBeenCalled()
})

it('and for the field where none composes', () => {
  const { store, panel, prompt, seed } = fields()
  prompt.value = 'fog'
  seed.value = '8'
  happen(prompt, 'keydown', { key: 'Escape' })
  happen(seed, 'keydown', { key: 'Escape' })
  happen(panel, 'keydown', { key: 'Escape' })
  expect([prompt.value, seed.value, store.getState().choosing]).toEqual(['', '7', false])
})
