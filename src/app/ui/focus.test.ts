import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { createSheet, takeFocus } from './focus'
import { element, real, stubPage } from './testing'

let page: ReturnType<typeof stubPage>
beforeEach(() => {
  page = stubPage()
})
afterEach(() => vi.unstubAllGlobals())

it('a sheet takes the focus and puts what is behind it out of reach, until it is closed', () => {
  const [opener, close] = [element(), element()]
  const [behind, sheet, away] = [element(opener), element(close), element()]
  element(behind, sheet, away)
  away.inert = true
  const show = createSheet(real(sheet), real(close))
  show(false)
  opener.focus()
  show(true)
  show(true)
  expect([behind.inert, sheet.inert, away.inert]).toEqual([true, false, true])
  expect([page.activeElement, sheet.classes.has('open')]).toEqual([close, true])
  show(false)
  expect([behind.inert, sheet.inert, away.inert]).toEqual([false, false, true])
  expect([page.activeElement, sheet.classes.has('open')]).toEqual([opener, false])
})

it('focus that has moved on by itself is not taken back', () => {
  const [opener, primary, field] = [element(), element(), element()]
  opener.focus()
  const giveBack = takeFocus(real(element(primary)), real(primary))
  field.focus()
  giveBack()
  expect(page.activeElement).toBe(field)
})

it('focus that was lost with what had it goes back to where it came from', () => {
  const [opener, primary] = [element(), element()]
  opener.focus()
  const giveBack = takeFocus(real(element(primary)), real(primary))
  primary.blur()
  giveBack()
  expect(page.activeElement).toBe(opener)
})
