/** A snapshot with any number in it either goes on as a drive or is refused. */
import { afterAll, describe, expect, it } from 'vitest'
import { BadInputError } from '../../src/engine/errors'
import type { Snapshot } from '../../src/engine/world'
import { IDLE, tinyBatched } from '../../src/model/testing'

const { dream } = await tinyBatched()
afterAll(() => dream.close())
await dream.reset('a', { seed: 1 })
const whole = dream.snapshot('a')

const withLatents = (latents: Float32Array): Snapshot => ({ ...whole, state: { ...whole.state, latents } })
const withActions = (actions: Float32Array): Snapshot => ({ ...whole, state: { ...whole.state, actions } })
const latents = whole.state.latents as Float32Array
const actions = whole.state.actions as Float32Array
const oneOf = (array: Float32Array, value: number) => array.map((old, i) => (i === 3 ? value : old))

describe('a snapshot', () => {
  it.each([3e38, -3e38, 1e10, 1001, Number.NaN, Number.POSITIVE_INFINITY])(
    'with a latent of %d is refused, and the drive goes on as it was',
    async (value) => {
      for (const bad of [oneOf(latents, value), latents.map(() => value)]) {
        await expect(dream.restore('a', withLatents(bad))).rejects.toBeInstanceOf(BadInputError)
      }
      await expect(dream.restore('a', withLatents(oneOf(latents, value)))).rejects.toThrow(
        /from -1000 to 1000/,
      )
      expect(dream.snapshot('a')).toEqual(whole)
    },
  )

  it.each([1.5, -2, 3e38, Number.NaN])('with an action of %d is refused', async (value) => {
    await expect(dream.restore('a', withActions(actions.map(() => value)))).rejects.toBeInstanceOf(
      BadInputError,
    )
  })

  it.each([1000, -1000, 40])('of latents of %d goes on in finite numbers', async (value) => {
    await dream.restore('b', withLatents(latents.map(() => value)))
    for (let tick = 0; tick < 40; tick++) {
      const { ticks } = await dream.step([{ session: 'b', action: IDLE }])
      expect(ticks[0]!.latent.every(Number.isFinite)).toBe(true)
    }
    dream.free('b')
  })
})
