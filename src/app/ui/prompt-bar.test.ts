import { afterEach, expect, it, vi } from 'vitest'
import { createAppStore } from '../store'
import { createPromptBar } from './prompt-bar'
import { fake, happen, stubPage } from './testing'

afterEach(() => vi.unstubAllGlobals())

it.each([
  ['an empty field where they could not be read', false, '', 'a green moon'],
  ['no field where they were', true, '', ''],
  ['no field where others are being typed', false, 'a red', 'a red'],
])('typed words go back into %s', async (_, isRead, typed, expected) => {
  stubPage()
  const said: unknown[] = []
  let answer = (_: boolean) => {}
  const bar = createPromptBar(createAppStore(), (prompt) => {
    said.push(prompt)
    return new Promise((resolve) => {
      answer = resolve
    })
  })
  const [input] = fake(bar.form).children
  input!.value = ' a green moon '
  happen(fake(bar.form), 'submit')
  expect([said, input!.value]).toEqual([['a green moon'], ''])
  input!.value = typed
  answer(isRead)
  await new Promise((resolve) => setTimeout(resolve))
  expect(input!.value).toBe(expected)
})

it('takes a long text that is pasted up to a word, and says so', () => {
  stubPage()
  const store = createAppStore()
  const said: string[] = []
  const bar = createPromptBar(store, async (prompt) => said.push(String(prompt)) > 0)
  const [input] = fake(bar.form).children
  input!.value = 'snowy '.repeat(300)
  happen(fake(bar.form), 'submit')
  expect(said[0]!.length).toBeLessThanOrEqual(1000)
  expect(said[0]).toMatch(/snowy$/)
  expect(store.getState().notices[0]?.text).toMatch(/^Only the beginning .* of 1799 letters/)
})
