import { expect, it, vi } from 'vitest'
import { LockstepClock } from '../../engine/clock'
import { Loop } from '../../engine/loop'
import { settle } from '../../engine/testing/fake-time'
import { FakeWorld, IDLE } from '../../engine/testing/fake-world'
import type { World } from '../../engine/world'
import { createAppStore } from '../store'
import { Listening } from './listen'

it('says what the world was told, from which tick on; nothing where nobody knows what words choose between', async () => {
  const store = createAppStore({ choices: { place: ['sea', 'town'] } })
  const loop = new Loop(new FakeWorld(), new LockstepClock(), { sample: () => IDLE, clear() {} })
  const listening = new Listening(store)
  loop.listen((event) => listening.hear(event, loop.world))
  await loop.reset({ seed: 1, prompt: { text: 'a town', embedding: Float32Array.of(0, 1, 0) } })
  await vi.waitFor(
    () => expect(store.getState().heard).toMatchObject({ values: { place: 'town' }, tick: 0 }),
    10_000,
  )
  for (let i = 0; i < 5; i++) await loop.step()
  await loop.setPrompt({ text: 'the sea', embedding: Float32Array.of(1, 0, 0) })
  await vi.waitFor(
    () => expect(store.getState().heard).toMatchObject({ values: { place: 'sea' }, tick: 6 }),
    10_000,
  )
  store.setState({ choices: null })
  await loop.reset({ seed: 2 })
  await vi.waitFor(() => expect(store.getState().heard).toBeNull(), 10_000)
})

it('keeps the newest words where the answer about older ones comes later', async () => {
  const store = createAppStore({ choices: { place: ['sea', 'town'] } })
  const answers: ((text: string) => void)[] = []
  const snapshot = () =>
    new Promise((resolve) =>
      answers.push((text) =>
        resolve({
          prompt: { text, embedding: Float32Array.of(...(text === 'sea' ? [1, 0, 0] : [0, 1, 0])) },
        }),
      ),
    )
  const world = { snapshot, info: { kind: 'dream' } } as unknown as World
  const listening = new Listening(store)
  for (const afterTick of [4, 9]) listening.hear({ type: 'prompt', epoch: 1, text: '', afterTick }, world)
  answers[1]!('town')
  await vi.waitFor(() => expect(store.getState().heard).toMatchObject({ tick: 10 }), 10_000)
  answers[0]!('sea')
  await settle()
  expect(store.getState().heard).toMatchObject({ values: { place: 'town' }, tick: 10 })
})

it('says what the simulator took over of the words that the dream had read, and edits nothing of it', async () => {
  const store = createAppStore({ choices: { place: ['sea', 'town'] } })
  const prompt = { text: 'xyzzy', embedding: Float32Array.of(0, 1, 0) }
  const world = { snapshot: async () => ({ prompt }), info: { kind: 'simulator' } } as unknown as World
  new Listening(store).hear({ type: 'prompt', epoch: 1, text: '', afterTick: 4 }, world)
  await vi.waitFor(
    () => expect(store.getState().heard).toEqual({ values: { place: 'town' }, tick: 5, labels: null }),
    10_000,
  )
})
