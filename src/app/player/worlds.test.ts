import { expect, it, vi } from 'vitest'
import { FakeWorld } from '../../engine/testing/fake-world'
import type { OpenDreamOptions } from '../../model/open'
import { createAppStore } from '../store'
import { Worlds } from './worlds'

const { openDream } = vi.hoisted(() => ({ openDream: vi.fn() }))
vi.mock('../../model/open', () => ({ openDream }))

it.each(['opens', 'fails'])(
  'ends what it says of the loading dream when that %s, whoever waits',
  async (how) => {
    const store = createAppStore({ phase: 'ready', loading: null })
    const worlds = new Worlds(store, { assets: 'https://here/', backend: 'auto' })
    let end = () => {}
    openDream.mockImplementation(async ({ onProgress }: OpenDreamOptions) => {
      onProgress!({ phase: 'ready', loaded: 1, total: 1 })
      await new Promise<void>((resolve) => {
        end = resolve
      })
      if (how === 'fails') throw new Error('no network')
      return new FakeWorld()
    })
    const dream = worlds.dream().catch(() => null)
    await vi.waitFor(
      () => expect(store.getState().loading).toMatchObject({ label: 'Opening its eyes' }),
      10_000,
    )
    end()
    await dream
    expect(store.getState().loading).toBeNull()
  },
)
