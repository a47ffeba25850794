import { describe, expect, it } from 'vitest'
import { Epochs } from './epochs'

describe('Epochs', () => {
  it('are those of the session, until the drive goes on in another', () => {
    const epochs = new Epochs()
    expect([epochs.now, epochs.begunOnce]).toEqual([0, false])
    expect([1, 2, 2, 1].map((epoch) => epochs.begin(epoch))).toEqual([true, true, false, false])
    expect([epochs.now, epochs.begunOnce, epochs.played(2)]).toEqual([2, true, 2])
  })

  it('are the same ones for its player where another session takes the drive up', () => {
    const epochs = new Epochs()
    epochs.begin(3)
    epochs.another()
    expect(epochs.now).toBe(0)
    epochs.begin(1)
    expect(epochs.played(1)).toBe(3)
    epochs.begin(2)
    expect(epochs.played(2)).toBe(4)
  })

  it('are the same ones for its player where a worker takes an older one up, and grow with what is seen again', () => {
    const epochs = new Epochs()
    epochs.begin(5)
    epochs.takenUp(4)
    expect([epochs.now, epochs.played(4)]).toEqual([4, 5])
    epochs.takenUp(4)
    epochs.sought()
    expect(epochs.played(4)).toBe(6)
  })
})
