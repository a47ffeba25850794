import { describe, expect, it } from 'vitest'
import type { Snapshot } from '../../src/engine/world'
import { encodeServer } from '../../src/net/protocol/wire'
import { Replies } from './replies'
import { decodeSaved, encodeSaved, NOTHING_SAVED, type Saved } from './saved'

const answer = (request: number) => encodeServer({ type: 'result', request })
const SNAPSHOT: Snapshot = {
  format: 'oneiro-snapshot',
  version: 2,
  ...{ world: 'tiny', modelHash: 'h', tick: 7, seed: 2 },
  prompt: { text: 'snow', embedding: Float32Array.of(0.5, -1) },
  state: { latents: Float32Array.of(1, 2, 3), seen: Uint8Array.of(9) },
}

describe('what is written down of a session', () => {
  it('is read as it was', () => {
    const saved: Saved = { snapshot: SNAPSHOT, epoch: 3, request: 9, answers: [[9, answer(9)]] }
    const { answers, ...rest } = decodeSaved(encodeSaved(saved))
    expect(rest).toEqual({ snapshot: SNAPSHOT, epoch: 3, request: 9 })
    expect(answers.map(([request, bytes]) => [request, Uint8Array.from(bytes)])).toEqual([[9, answer(9)]])
    expect(decodeSaved(encodeSaved(NOTHING_SAVED))).toEqual(NOTHING_SAVED)
  })

  it('is refused where it is none', () => {
    expect(() => decodeSaved(Uint8Array.of(0xc1))).toThrow()
    expect(() => decodeSaved(encodeSaved({ ...NOTHING_SAVED, epoch: -1 }))).toThrow(/epoch/)
    expect(() => decodeSaved(encodeSaved({ ...NOTHING_SAVED, snapshot: {} as never }))).toThrow(/snapshot/)
  })
})

describe('requests go on elsewhere', () => {
  /** The replies of another worker, from what this one would write down. */
  function elsewhere(replies: Replies): Replies {
    const next = new Replies(8)
    const { request, answers } = replies.saved
    next.failover(request, answers)
    return next
  }

  it('what was answered is answered again, what was not is carried out', () => {
    const replies = new Replies(8)
    for (const request of [1, 2, 3]) expect(replies.isNew(request)).toBe(true)
    for (const request of [1, 2]) replies.keep(request, answer(request))
    const next = elsewhere(replies)
    expect([next.isNew(2), next.of(2)]).toEqual([false, answer(2)])
    expect([next.isNew(3), next.isNew(3)]).toEqual([true, false])
  })

  it('one that was refused out of its turn hides none before it', () => {
    const replies = new Replies(8)
    replies.keep(1, answer(1))
    replies.keep(10, answer(10), false)
    const next = elsewhere(replies)
    expect([next.isNew(1), next.isNew(2), next.isNew(10)]).toEqual([false, true, true])
  })

  it('a look at the state is not written down, and may be taken again', () => {
    const replies = new Replies(8)
    replies.keep(1, answer(1))
    replies.keep(2, encodeServer({ type: 'state', request: 2, body: SNAPSHOT }))
    replies.keep(3, answer(3))
    const next = elsewhere(replies)
    expect([next.isNew(1), next.isNew(2), next.isNew(2), next.isNew(3)]).toEqual([false, true, false, false])
  })
})
