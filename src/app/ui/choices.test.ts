import { afterEach, expect, it, vi } from 'vitest'
import { recall, remember } from './choices'

afterEach(() => vi.unstubAllGlobals())

function keep(text: string | null = null) {
  const kept = { text }
  vi.stubGlobal('localStorage', {
    getItem: () => kept.text,
    setItem: (_: string, value: string) => {
      kept.text = value
    },
  })
}

it('keeps one choice beside another', () => {
  keep()
  expect(recall()).toEqual({})
  remember({ bleed: true })
  remember({ assist: false })
  expect(recall()).toEqual({ bleed: true, assist: false })
})

it('forgets what it does not understand, and lives where nothing can be kept', () => {
  keep('{"bleed":"yes","assist":false}')
  expect(recall()).toEqual({ assist: false })
  keep('not JSON')
  expect(recall()).toEqual({})
  vi.stubGlobal('localStorage', undefined)
  remember({ bleed: true })
  expect(recall()).toEqual({})
})
