import { expect, it, vi } from 'vitest'
import { lazily, once } from './lazily'

it('loads a part again where it failed', async () => {
  const load = vi.fn(async () => 'part').mockRejectedValueOnce(new Error('503'))
  expect(await lazily(load, [0, 0])).toBe('part')
  expect(load).toHaveBeenCalledTimes(2)
})

it('gives up in the end, with the last reason', async () => {
  const load = vi.fn(async () => Promise.reject(new Error('404')))
  await expect(lazily(load, [0, 0])).rejects.toThrow('404')
  expect(load).toHaveBeenCalledTimes(3)
})

it('keeps a part, and no failure', async () => {
  const load = vi.fn(async () => ({})).mockRejectedValueOnce(new Error('503'))
  const part = once(load)
  await expect(part()).rejects.toThrow('503')
  expect(await part()).toBe(await part())
  expect(load).toHaveBeenCalledTimes(2)
})
