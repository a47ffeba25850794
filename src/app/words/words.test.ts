import { beforeEach, describe, expect, it, vi } from 'vitest'
import { createAppStore } from '../store'
import { Words } from './words'

const encoder = { encode: vi.fn(async (text: string) => Float32Array.of(text.length)), dispose: vi.fn() }
const openPromptEncoder = vi.fn(async () => encoder)
vi.mock('../../model/prompt/client', () => ({ openPromptEncoder: () => openPromptEncoder() }))
beforeEach(() => vi.clearAllMocks())

const make = () => new Words(createAppStore(), 'encoder', 'world')

describe('words', () => {
  it('that the dream knows by heart are not read, however they are written', async () => {
    const words = make()
    words.learn(['A snowy night'])
    expect(await words.encode(' a SNOWY night')).toEqual({ text: ' a SNOWY night' })
    await words.close()
    expect([openPromptEncoder, encoder.dispose].map(({ mock }) => mock.calls.length)).toEqual([0, 0])
  })

  it('are read once, by an encoder that is opened at the first of them', async () => {
    const words = make()
    const prompt = { text: 'fog', embedding: Float32Array.of(3) }
    expect([await words.encode('fog'), await words.encode('fog')]).toEqual([prompt, prompt])
    expect(words.byHeart('Fog')).toEqual({ ...prompt, text: 'Fog' })
    await words.close()
    expect([openPromptEncoder, encoder.encode, encoder.dispose].map(({ mock }) => mock.calls.length)).toEqual(
      [1, 1, 1],
    )
  })

  it('are forgotten again, the oldest first, where there are many', () => {
    const words = make()
    for (let i = 0; i <= 64; i++) words.know(`words ${i}`, Float32Array.of(i))
    expect(words.byHeart('words 0')).toBeNull()
    expect(words.byHeart('words 1')).toMatchObject({ embedding: Float32Array.of(1) })
  })

  it('that cannot be read leave nothing that still reads on the page', async () => {
    const store = createAppStore()
    encoder.encode.mockRejectedValueOnce(new Error('no memory'))
    await expect(new Words(store, 'encoder', 'world').encode('fog')).rejects.toThrow('no memory')
    expect(store.getState().reading).toBeNull()
  })
})
