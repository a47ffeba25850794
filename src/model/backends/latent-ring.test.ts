import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type WorldShape, worldShape } from '../assets/manifest'
import { loadTiny } from '../testing'
import { LatentRing } from './latent-ring'

const shape = async (ringLength: number): Promise<WorldShape> => ({
  ...worldShape((await loadTiny()).manifest),
  latentLength: 3,
  ringLength,
})

/** What the ring must do, the slow way: a list that moves everything. */
class ShiftedList {
  constructor(public latents: number[][]) {}
  push(latent: number[]) {
    this.latents = [latent, ...this.latents.slice(0, -1)]
  }
}

describe('LatentRing', () => {
  it('is a list that shifts, for any pushes, fills and ages', async () => {
    const base = await shape(1)
    const latent = fc.array(fc.integer({ min: -999, max: 999 }), { minLength: 3, maxLength: 3 })
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9 }),
        fc.array(fc.oneof(latent, fc.constant('fill' as const)), { maxLength: 40 }),
        (ringLength, commands) => {
          const ring = new LatentRing({ ...base, ringLength })
          const list = new ShiftedList(Array.from({ length: ringLength }, () => [0, 0, 0]))
          for (const command of commands) {
            if (command === 'fill') {
              list.latents = list.latents.map((_, i) => [i, i + 1, i + 2])
              ring.fill(Float32Array.from(list.latents.flat()))
            } else {
              ring.push(Float32Array.from(command))
              list.push(command)
            }
            expect([...ring.readAll()]).toEqual(list.latents.flat())
            for (let age = 1; age <= ringLength; age++) {
              expect([...ring.read(age)]).toEqual(list.latents[age - 1])
            }
          }
        },
      ),
      { numRuns: 60 },
    )
  })

  it('gathers ages in the order asked, and what it read stays as it was', async () => {
    const ring = new LatentRing(await shape(4))
    for (let i = 1; i <= 6; i++) ring.push(Float32Array.of(i, i, i))
    const out = new Float32Array(6)
    ring.gather([4, 1], out)
    expect([...out]).toEqual([3, 3, 3, 6, 6, 6])
    const read = ring.readAll()
    ring.push(Float32Array.of(7, 7, 7))
    expect(read[0]).toBe(6)
  })
})
