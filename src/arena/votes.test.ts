import { describe, expect, it } from 'vitest'
import { FakeStorage, vote } from './testing'
import { VoteBox } from './votes'

describe('VoteBox', () => {
  it('keeps votes for the next visit', () => {
    const storage = new FakeStorage()
    const box = new VoteBox(storage)
    box.add(vote())
    box.add(vote({ round: 2 }))
    expect(new VoteBox(storage).votes).toEqual([vote(), vote({ round: 2 })])
    expect(box.trouble).toBeNull()
  })

  it('does not lose what another tab voted', () => {
    const storage = new FakeStorage()
    const [one, other] = [new VoteBox(storage), new VoteBox(storage)]
    one.add(vote({ session: 1 }))
    other.add(vote({ session: 2 }))
    one.add(vote({ session: 1, round: 2 }))
    expect(new VoteBox(storage).votes).toHaveLength(3)
  })

  it('forgets only what it is told to', () => {
    const storage = new FakeStorage()
    const box = new VoteBox(storage)
    box.add(vote())
    box.add(vote({ round: 2 }))
    box.remove([vote()])
    expect(new VoteBox(storage).votes).toEqual([vote({ round: 2 })])
  })

  it('without storage, or with a full one, votes last as long as the page, and it says so', () => {
    const none = new VoteBox(null)
    none.add(vote())
    none.add(vote({ round: 2 }))
    expect(none.votes).toHaveLength(2)
    expect(none.trouble).toContain('export them')
    const storage = new FakeStorage()
    const full = new VoteBox(storage)
    full.add(vote())
    storage.full = true
    full.add(vote({ round: 2 }))
    full.add(vote({ round: 3 }))
    expect(full.votes).toHaveLength(3)
    expect(full.trouble).toContain('quota')
  })

  it.each(['no json', '{"format":"oneiro-arena","version":2,"votes":[]}', '{"votes":[{"quality":"up"}]}'])(
    'sets aside what it cannot read: %s',
    (text) => {
      const storage = new FakeStorage()
      storage.setItem('oneiro-arena', text)
      const box = new VoteBox(storage)
      expect(box.votes).toEqual([])
      expect(box.trouble).toContain('could not be read')
      expect(storage.getItem('oneiro-arena-damaged')).toBe(text)
      box.add(vote())
      expect(new VoteBox(storage).votes).toEqual([vote()])
    },
  )
})
