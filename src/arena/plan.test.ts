import { describe, expect, it } from 'vitest'
import { planRound } from './plan'
import { CHOICES } from './testing'

const plans = (session: number, rounds: number) =>
  Array.from({ length: rounds }, (_, i) => planRound(session, i + 1, CHOICES, 100))

describe('planRound', () => {
  it('is the same for the same session and round, and another for others', () => {
    expect(planRound(7, 3, CHOICES, 100)).toEqual(planRound(7, 3, CHOICES, 100))
    expect(planRound(7, 3, CHOICES, 100)).not.toEqual({ ...planRound(7, 4, CHOICES, 100), round: 3 })
    expect(planRound(7, 3, CHOICES, 100)).not.toEqual(planRound(8, 3, CHOICES, 100))
  })

  it('shuffles sides fairly, without a pattern from round to round', () => {
    const sides = plans(11, 2000).map(({ aIsLeft }) => aIsLeft)
    const left = sides.filter(Boolean).length
    const changes = sides.filter((side, i) => i > 0 && side !== sides[i - 1]).length
    // Four standard deviations of a fair coin.
    for (const count of [left, changes]) expect(Math.abs(count - 1000)).toBeLessThan(90)
  })

  it('says nothing about the sides by anything else that is seen', () => {
    const all = plans(5, 3000)
    for (const prompt of CHOICES.prompts) {
      const shown = all.filter((plan) => plan.prompt === prompt)
      const left = shown.filter(({ aIsLeft }) => aIsLeft).length / shown.length
      expect(Math.abs(left - 0.5)).toBeLessThan(0.07)
    }
  })

  it('takes held-out seeds, and every start and prompt comes up', () => {
    const all = plans(5, 200)
    expect(Math.min(...all.map(({ seed }) => seed))).toBeGreaterThanOrEqual(1_000_000)
    expect(new Set(all.map(({ prompt }) => prompt)).size).toBe(CHOICES.prompts.length)
    expect(new Set(all.map(({ start }) => start)).size).toBe(CHOICES.starts.length)
  })

  it('begins about half of the drives, and those that are so by chance, where the words are', () => {
    const all = plans(5, 1000)
    const there = all.filter(({ prompt, start }) => prompt.includes('snowy') === start.includes('snow'))
    expect(there.length / all.length).toBeGreaterThan(0.65)
    expect(there.length).toBeLessThan(all.length)
  })

  it('drives by a script of the asked length that mostly goes on and bends both ways', () => {
    const { actions } = planRound(3, 1, CHOICES, 400)
    expect(actions).toHaveLength(400)
    expect(actions.filter(({ throttle }) => throttle === 1).length).toBeGreaterThan(200)
    expect(new Set(actions.map(({ steer }) => steer))).toEqual(new Set([-1, 0, 1]))
  })
})
