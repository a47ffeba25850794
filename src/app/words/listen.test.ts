import { expect, it, vi } from 'vitest'
import { LockstepClock } from '../../engine/clock'
import { Loop } from '../../engine/loop'
import { FakeWorld, IDLE } from '../../engine/testing/fake-world'
import { createAppStore } from '../store'
import { Listening } from './listen'

it('says what the world was told, from which tick on; nothing where nobody knows what words choose between', async () => {
  const store = createAppStore({ choices: { place: ['sea', 'town'] } })
  const loop = new Loop(new FakeWorld(), new LockstepClock(), { sample: () => IDLE, clear() {} })
  const listening = new Listening(store)
  loop.listen((event) => listening.hear(event, loop.world))
  await loop.reset({ seed: 1, prompt: { text: 'a town', embedding: Float32Array.of(0, 1, 0) } })
  await vi.waitFor(() => expect(store.getState().heard).toMatchObject({ values: { place: 'town' }, tick: 0 }))
  for (let i = 0; i < 5; i++) await loop.step()
  await loop.setPrompt({ text: 'the sea', embedding: Float32Array.of(1, 0, 0) })
  await vi.waitFor(() => expect(store.getState().heard).toMatchObject({ values: { place: 'sea' }, tick: 6 }))
  store.setState({ choices: null })
  await loop.reset({ seed: 2 })
  await vi.waitFor(() => expect(store.getState().heard).toBeNull())
})
